"""A job is a submitted execution; every job is a run with the same id.

Invariants: what a job runs (its snapshot) is frozen before the submit is answered; one door changes its status; a job runs
under its own supervisor process, whose exit record alone ends it; it has exactly one terminal status, ever.
"""
