"""Estimators on plain arrays and data frames."""
