"""Running the study: parameters, the stages' notebooks, the lock, status."""
