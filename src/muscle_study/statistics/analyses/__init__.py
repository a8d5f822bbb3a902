"""The study's analyses, a module each."""
