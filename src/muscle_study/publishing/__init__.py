"""Publication of tables, figures and numbers, with small counts suppressed."""
