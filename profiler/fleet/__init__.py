"""Many devices and targets: a plan of cells, each of which is one recording (docs/fleet.md)."""
