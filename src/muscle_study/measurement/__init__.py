"""Stage measurement: muscle size and fat from label maps, and their reliability."""
