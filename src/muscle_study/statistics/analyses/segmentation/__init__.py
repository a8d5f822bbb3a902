"""The segmentation: its training, quality, and agreement with truth and other segmenters."""

from muscle_study.statistics.analyses.segmentation.agreement import agreement
from muscle_study.statistics.analyses.segmentation.cases import cases
from muscle_study.statistics.analyses.segmentation.comparison import comparison
from muscle_study.statistics.analyses.segmentation.dice import dice
from muscle_study.statistics.analyses.segmentation.example import example
from muscle_study.statistics.analyses.segmentation.learning import learning
from muscle_study.statistics.analyses.segmentation.learning_curve import learning_curve
from muscle_study.statistics.analyses.segmentation.predicted import predicted
from muscle_study.statistics.analyses.segmentation.rendering import rendering
from muscle_study.statistics.analyses.segmentation.strata import strata
