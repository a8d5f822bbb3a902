"""Whether curation finds every fault of a synthetic cohort full of them."""
