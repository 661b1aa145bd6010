"""The ground floor: devices, the tools that run on them, and readers of what those print."""
