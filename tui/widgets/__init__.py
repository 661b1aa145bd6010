"""The dashboard's own widgets, drawn line by line."""
