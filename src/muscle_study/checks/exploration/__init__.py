"""The viewer and the tables of the exploration notebook."""
