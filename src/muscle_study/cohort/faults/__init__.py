"""Deliberate faults, as real exports have them, each recorded in the truth.

`assign` draws each participant's fault, `scans` applies faults of body, images and labels, `files`
those of written files and `table` those of the participant table.
"""
