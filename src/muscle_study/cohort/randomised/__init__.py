"""Images of random contrast from a map of tissues."""
