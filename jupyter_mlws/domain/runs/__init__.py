"""A run is one tracked execution: params, metrics, tags, a note, inputs, outputs, logs and a snapshot of its code.

Invariants: every run belongs to one experiment; its status changes only through `service.change_status`; a terminal status
never changes again; params are written once (the same value again is accepted, another one is a conflict).
"""
