"""Many sessions as one Parquet data set: what `query` and `trend` ask (docs/archive.md).

DuckDB writes and reads it here; any engine that knows Hive-style partitions reads the same
files.
"""
