"""Compute targets of the kind `gateway`: the kernels of another Jupyter server. Jobs run here, and only their kernels are there.

The far end of a job's kernel is `jupyter_mlws.runner.gateway`, which runs in the job; `rest` is what the server itself asks.
"""
