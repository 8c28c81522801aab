"""The database: one writer thread, a pool of readers, and the outbox of changes. Knows no concept of the product."""
