"""Analyses of how well the muscles are segmented."""
