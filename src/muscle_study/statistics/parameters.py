"""Parameters of the statistics."""

from pydantic import Field

from muscle_study.protocol.sections import Section


class StatisticsParameters(Section):
    """Groups, intervals and disclosure control."""

    age_group_edges_years: list[float] = Field(description="lower edges after the first group")
    bmi_group_edges_kg_m2: list[float] = Field(description="lower edges after the first group")
    confidence: float = Field(gt=0, lt=1)
    min_cell_count: int = Field(ge=1, description="smaller counts are suppressed")
    round_counts_to: int = Field(
        ge=1, description="counts of people are shown as multiples of it; 1: as they are"
    )
    seed: int = Field(description="of folds and of resampling")
