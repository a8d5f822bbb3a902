"""Review by eye: a picture of each participant, a page to browse them, and the verdicts."""
