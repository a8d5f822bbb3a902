"""The analysis table and its participants."""
