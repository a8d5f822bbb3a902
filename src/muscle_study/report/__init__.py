"""Stage report: the manuscript, from the published results."""
