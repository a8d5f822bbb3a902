"""What the study is about: its muscles, exclusion reasons, files and stages, each declared once."""
