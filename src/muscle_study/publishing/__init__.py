"""What leaves the project: tables, figures and numbers, with small counts suppressed."""
