"""Compute targets of the kind `slurm`: a batch system that starts our supervisor, and this server's folder, which its nodes see, too.

PSI/J submits and cancels. Whether a job runs, and how it ended, is told by its folder, as everywhere; the batch system is asked for what
only it knows: why it has not begun a job, and why it ended one.
"""
