"""Compute targets of the kinds `slurm`, `pbs` and `lsf`: a batch system starts our supervisor, and its nodes see this server's folder, too.

PSI/J writes the scripts. Whether a job runs, and how it ended, is told by its folder, as everywhere; the batch system (`system`, of which
`slurm`, `pbs` and `lsf` are those that there are) is asked for what only it knows: why it has not begun a job, and why it ended one.
"""
