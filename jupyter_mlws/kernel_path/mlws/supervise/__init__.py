"""`python -m mlws.supervise <job dir>`: runs one job, owns its whole process tree, and outlives whoever started it.

Standard library only, Python 3.8 or newer; it needs neither the server nor anything installed.

What it promises:
- The job's output lands in `user_logs/std_log.txt` as it comes; an overwritten line (`\\r`) is stored once.
- Cancel and timeout end every process of the job, also ones that forked away and ignore SIGTERM.
- It leaves exactly one `exit.json`, made by link(), unless it is itself killed by SIGKILL. The job's main process dies with it.

Linux gives all of this. macOS has no subreaper and no /proc: there a process that left the job's process group *and* lost
its parent is not found, the main process survives a SIGKILL of its supervisor, and the lock file tells whether the supervisor
lives.

`entry` sets up and settles; `loop` follows the job; `tree` starts and ends processes; `log` stores the output.
"""
