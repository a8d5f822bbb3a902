"""Analyses beyond the paper."""

from muscle_study.statistics.analyses.extensions.body_size import body_size
from muscle_study.statistics.analyses.extensions.centiles import (
    centile_calibration,
    centile_model,
    centiles,
)
from muscle_study.statistics.analyses.extensions.imaged import imaged
from muscle_study.statistics.analyses.extensions.measurement_error import (
    error_model,
    measurement_error,
)
from muscle_study.statistics.analyses.extensions.recovery import recovery
from muscle_study.statistics.analyses.extensions.secondary import secondary
from muscle_study.statistics.analyses.extensions.sensitivity import sensitivity
from muscle_study.statistics.analyses.extensions.splines import nonlinearity, splines
from muscle_study.statistics.analyses.extensions.surfaces import surfaces
