"""Compute targets: where jobs run. `local`, this machine, is always there; other kinds are entry points (`jupyter_mlws.compute`)."""
