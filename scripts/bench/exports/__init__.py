"""What each export format costs for large sessions."""
