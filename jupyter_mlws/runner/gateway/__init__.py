"""A kernel here that is one on another Jupyter server: `python -m jupyter_mlws.runner.gateway -f <connection file> --settings <JSON>`.

To who started it, it is an ordinary kernel; it passes all messages on to one kernel of a Jupyter server, Kernel Gateway or Enterprise
Gateway. `frames` has the forms of messages on the wire, `remote` speaks to the server, `link` keeps the connection, `bridge` the sockets
here, `note` says which kernel may live there, `errand` what is asked of the kernel over there, where `mlws.far_kernel` runs.
"""
