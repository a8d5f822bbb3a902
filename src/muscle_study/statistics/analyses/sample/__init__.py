"""Analyses of who is in the study."""
