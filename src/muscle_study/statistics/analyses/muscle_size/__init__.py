"""Analyses of muscle size by sex, age and BMI."""
