"""Job files: a documented subset of the Azure ML CLI v2 YAML for command jobs, and our extension `type: notebook`.

Invariants: no field is silently ignored (`fields.FIELDS` says of each whether it is honoured, accepted with a warning, or refused);
what is wrong names file, line and field; reading a file runs nothing, and takes bounded time and memory.
"""
