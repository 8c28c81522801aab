"""Writing what a workspace has into a folder of MLflow's: `exporter.py` READ FIRST, then `runs.py` and `models.py`."""
