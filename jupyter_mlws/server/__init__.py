"""The composition root: the only room that knows all slices. Read `app.py` first."""
