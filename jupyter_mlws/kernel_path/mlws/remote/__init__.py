"""The far end of a compute target on another host: answers the server's questions over one pipe, and keeps jobs' folders there.

    python -S -c <bootstrap that the server sends> <folder>

Standard library only. It holds nothing in memory that matters: it ends with its connection, the supervisors that it started go on, and
the next one reads all there is to know from the folders.
"""
