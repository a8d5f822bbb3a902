"""Checks of a participant's images."""
