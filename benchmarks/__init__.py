"""Time and memory of what a run does most, beside other ways to do it: ``make bench``."""
