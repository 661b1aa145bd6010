"""The rules: pure functions from profiles to findings, one module for each shape."""
