"""Stage statistics: the study's analyses, tables, figures and numbers."""
