"""The study's analyses, one module each."""
