"""The manuscript's figures, a module each; every one returns a `Picture`."""
