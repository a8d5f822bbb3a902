"""Whether a finished run is what it says to be, and where each of its numbers comes from."""
