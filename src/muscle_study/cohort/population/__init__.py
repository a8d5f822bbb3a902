"""The synthetic population: participants and their true muscle sizes."""
