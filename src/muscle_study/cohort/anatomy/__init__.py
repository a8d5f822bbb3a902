"""The parametric body of a synthetic participant."""
