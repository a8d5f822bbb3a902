"""Review by eye: a picture of everyone, a page to look through them, and the verdicts."""
