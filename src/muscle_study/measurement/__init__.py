"""Stage measurement: muscle size and fat from label maps, and how far they can be trusted."""
