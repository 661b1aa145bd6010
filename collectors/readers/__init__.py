"""Readers: the bytes of one format become a profile. Pure: no device, no session."""
