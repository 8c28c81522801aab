"""A workspace is the top container; every other thing belongs to exactly one. `default` always exists."""
