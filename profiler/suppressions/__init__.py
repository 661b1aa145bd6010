"""Suppressions: what is known and not to be told again, in Valgrind's own format."""
