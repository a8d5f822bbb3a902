"""The analysis table and who is in it."""
