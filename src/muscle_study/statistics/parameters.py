"""Parameters of the statistics."""

from typing import Annotated, Literal

from pydantic import Field

from muscle_study.protocol.sections import Count, Positive, Rising, Section


class Model(Section):
    """A linear regression model of the outcomes."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        description="Identifier in CSV tables and in the numbers of the text",
    )
    title: str = Field(description="Printed name")
    formula: str = Field(description="Right-hand side of the model formula, in formulaic's syntax")
    outcomes: list[Literal["csa", "gluteus"]] = Field(
        default=["csa", "gluteus"], min_length=1, description="Outcomes, one model for each"
    )
    sex: Literal["both", "male", "female"] = Field(
        default="both", description="Sex of the participants"
    )
    subset: str | None = Field(
        default=None, description="Condition on covariates, such as age_years >= 40; null: none"
    )


#: The paper's models.
PAPER_MODELS = (
    Model(name="all", title="All", formula="age_years + bmi_kg_m2 + sex"),
    Model(name="men", title="Men", formula="age_years + bmi_kg_m2", sex="male"),
    Model(name="women", title="Women", formula="age_years + bmi_kg_m2", sex="female"),
)


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
        description="Rounding base of these counts after suppression; percentages are of rounded "
        "counts; 1: no rounding"
    )
    models: list[Model] = Field(
        default_factory=lambda: list(PAPER_MODELS),
        min_length=1,
        description="Regression models, by default the paper's; the text quotes the first",
    )
    seed: int = Field(description="Seed of cross-validation folds and of resampling")
