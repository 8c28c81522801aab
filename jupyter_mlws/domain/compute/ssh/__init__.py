"""Compute targets of the kind `ssh`: another host, on which our supervisor runs. `mlws.remote` is their far end.

The host keeps the jobs; the server keeps a copy of what it must see of them, in the very folder that a local job has (`mirror`). So all
that follows, the live log, metrics, the end, does not know the difference. A job is started once: its folder here carries a mark
(`jobdir.SENT`) from before the start is asked for, and the host starts a folder once. What stands in both folders tells all there is
to know after a cut link or a restart.
"""
