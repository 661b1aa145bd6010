"""What changed between two sessions. `compare` in profiler.diff.sessions does all of it."""
