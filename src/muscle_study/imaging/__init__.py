"""Volumes with their affine, and resampling."""
