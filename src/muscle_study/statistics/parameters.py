"""Parameters of the statistics."""

from typing import Annotated

from pydantic import Field

from muscle_study.protocol.sections import Count, Positive, Rising, Section


class StatisticsParameters(Section):
    """Groups, intervals and disclosure control."""

    age_group_edges_years: Annotated[list[Positive], Rising] = Field(
        min_length=1, description="Lower edges of the age groups after the first, years"
    )
    bmi_group_edges_kg_m2: Annotated[list[Positive], Rising] = Field(
        min_length=1, description="Lower edges of the BMI groups after the first, kg/m²"
    )
    confidence: float = Field(gt=0, lt=1, description="Confidence level of the intervals")
    min_cell_count: Count = Field(
        description="Smallest count of participants shown in anything under `reports/`"
    )
    round_counts_to: Count = Field(
        description="Multiple to which counts of participants are rounded there after suppression; "
        "percentages are of rounded counts; 1: not rounded"
    )
    seed: int = Field(description="Seed of cross-validation's folds and of resampling")
