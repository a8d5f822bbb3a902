"""Deliberate faults, so that every run meets what real exports bring; each is on record.

`assign` draws who has which, `scans` puts it into body and images, `files` into what was written
and `table` into the participant table.
"""
