"""What sampling costs on a device, beside top and vmstat; and what droidgrind adds to a run."""
