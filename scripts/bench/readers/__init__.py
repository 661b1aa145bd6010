"""Benchmarks of the readers against their peers: `python -m scripts.bench.readers`."""
