"""Stage cohort: a synthetic Dixon MRI cohort with known truth (demo runs only)."""
