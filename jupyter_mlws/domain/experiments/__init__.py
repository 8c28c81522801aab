"""An experiment is a named group of runs inside one workspace.

Invariants: the name is unique among the workspace's experiments, archived ones included; archiving hides an experiment and
keeps its runs; deleting for good needs it archived first.
"""
