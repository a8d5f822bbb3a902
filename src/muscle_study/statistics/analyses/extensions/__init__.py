"""Analyses beyond the paper."""
