"""Scheduling over time, live or stored: one track of samples, and windows that look into it."""
