"""Whether a device can be recorded on: what is right, what is not, and the remedy."""
