"""The simulated two-point Dixon scanner."""
