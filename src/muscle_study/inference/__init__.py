"""Stage inference: a label map for every curated participant."""
