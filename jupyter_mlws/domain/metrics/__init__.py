"""Metrics of runs: numbers logged over steps and time.

Three tables: `metric_latest` (one row a run and key: what tables sort and filter by), `metric_tail` (recent points, one row
each) and `metric_chunk` (about 1,000 points a row with a min/max header). NaN and both infinities are kept truly.
"""
