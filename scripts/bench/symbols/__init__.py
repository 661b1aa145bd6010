"""Addresses of a large library → frames, beside addr2line and llvm-symbolizer."""
