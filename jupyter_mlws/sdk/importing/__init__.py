"""Bringing runs along from MLflow's stores: `importer.py` READ FIRST, then `runs.py`, `models.py`, `files.py`; `report.py` keeps count.

All of it may be cut short and asked again: what is here whole is left alone, what is here in part is gone on with.
"""
