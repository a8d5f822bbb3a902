"""Stage report: the manuscript, from what the statistics stage wrote."""
