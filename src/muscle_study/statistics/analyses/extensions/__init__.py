"""Analyses beyond the paper."""

from muscle_study.statistics.analyses.extensions.body_size import body_size
from muscle_study.statistics.analyses.extensions.centiles import (
    centile_calibration,
    centile_model,
    centiles,
)
from muscle_study.statistics.analyses.extensions.secondary import secondary
from muscle_study.statistics.analyses.extensions.splines import nonlinearity, splines
from muscle_study.statistics.analyses.extensions.surfaces import surfaces

__all__ = [
    "body_size",
    "centile_calibration",
    "centile_model",
    "centiles",
    "nonlinearity",
    "secondary",
    "splines",
    "surfaces",
]
