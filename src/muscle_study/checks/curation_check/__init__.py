"""Check of curation on a synthetic cohort with many faults of every kind."""
