"""The sample: flow chart, exclusions, curation, the synthetic cohort, and the study's cost."""

from muscle_study.statistics.analyses.sample.cohort import cohort, cohort_pictures, voxelisation
from muscle_study.statistics.analyses.sample.cost import cost
from muscle_study.statistics.analyses.sample.curation import curation, faults
from muscle_study.statistics.analyses.sample.exclusions import exclusions
from muscle_study.statistics.analyses.sample.flow import flow
