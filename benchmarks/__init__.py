"""Benchmarks of time and memory against alternatives: ``make bench``."""
