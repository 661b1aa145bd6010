"""The dashboard's speed."""
