"""Muscle size by sex, age and BMI: the paper's analyses."""

from muscle_study.statistics.analyses.muscle_size.age_bmi import age_bmi
from muscle_study.statistics.analyses.muscle_size.claims import claims
from muscle_study.statistics.analyses.muscle_size.comparisons import compare_groups
from muscle_study.statistics.analyses.muscle_size.correlation import correlation
from muscle_study.statistics.analyses.muscle_size.diagnostics import diagnostics
from muscle_study.statistics.analyses.muscle_size.distributions import (
    outcomes_by_age,
    outcomes_by_bmi,
)
from muscle_study.statistics.analyses.muscle_size.interactions import interactions
from muscle_study.statistics.analyses.muscle_size.measures import (
    measures,
    measures_by_age,
    measures_by_bmi,
    sides_by_age,
    sides_by_bmi,
)
from muscle_study.statistics.analyses.muscle_size.population import population
from muscle_study.statistics.analyses.muscle_size.published import beside_published
from muscle_study.statistics.analyses.muscle_size.regression import regression
from muscle_study.statistics.analyses.muscle_size.weight import weight
