"""Definitions of the study, each declared once: muscles, exclusion reasons, files, stages."""
