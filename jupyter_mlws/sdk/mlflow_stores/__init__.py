"""MLflow's stores, read and written without MLflow: `mlruns` folders and tracking databases.

`records.py` READ FIRST: what every reader gives. `opening.py` chooses the reader: `file_store.py` for folders, `sql_store.py` for
databases over `databases.py`. `places.py` finds the files of runs; `folders.py` reads from folders that strangers may have made.
`writing.py` writes a folder that MLflow's clients read.
"""
