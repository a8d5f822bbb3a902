"""Checks of a finished run or of the code that made it."""
