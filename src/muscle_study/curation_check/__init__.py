"""Whether curation finds every fault, on a cohort in which every fault is common."""
