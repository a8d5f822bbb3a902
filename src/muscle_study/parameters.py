"""A run's parameter file: typed, checked as a whole before any work."""

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from muscle_study.cohort.parameters import CohortParameters
from muscle_study.cluster_parameters import ClusterParameters
from muscle_study.curation.parameters import CurationParameters
from muscle_study.inference.parameters import InferenceParameters
from muscle_study.measurement.parameters import MeasurementParameters
from muscle_study.report.parameters import ReportParameters
from muscle_study.sections import Section
from muscle_study.statistics.parameters import StatisticsParameters
from muscle_study.training.parameters import TrainingParameters


class StudyParameters(Section):
    """All sections of a run. Without `cohort`, the run reads real data."""

    cohort: CohortParameters | None = None
    curation: CurationParameters
    training: TrainingParameters
    inference: InferenceParameters
    measurement: MeasurementParameters
    statistics: StatisticsParameters
    report: ReportParameters
    cluster: ClusterParameters
