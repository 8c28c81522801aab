"""Runs the notebook of a job, inside the job and under its supervisor: light imports, no server."""
