"""Models: what training runs log, and the registry of named versions of them."""
