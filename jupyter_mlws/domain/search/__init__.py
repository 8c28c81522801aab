"""Finding runs: MLflow's filter grammar with OR, NOT, parentheses and BETWEEN, compiled to SQL with bound values only.

The one read-only slice whose store may read the tables of lower slices.
"""
