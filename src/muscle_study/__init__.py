"""Psoas and gluteus muscle mass in a Dixon MRI cohort: the study's stages and what they share."""
