"""Covariates: five built in, and others declared in a parameter file."""

import keyword
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from muscle_study.protocol.sections import Section

if TYPE_CHECKING:  # pandas loads slowly, and every make reads parameters through this module
    import pandas as pd

#: Stata's limit for the name of a variable.
LONGEST_NAME = 32

#: Columns of the study's tables other than covariates and measures.
STUDY_COLUMNS = frozenset({
    "participant_id", "source_id", "given_split", "annotated", "split", "source", "imaged",
    "age_group", "bmi_group", "bmi_split", "outcome", "scan_flagged", "swap_corrected",
    "scan_accepted",
})  # fmt: skip

#: Prefixes of the measures, which are columns of the analysis table too.
MEASURE_PREFIXES = ("psoas_", "gluteus_")


class Covariate(Section):
    """A covariate: its form in the export and in print."""

    name: str = Field(
        description="Column in the study's tables and variable in formulas: letters, digits and "
        f"`_`, up to {LONGEST_NAME}"
    )
    label: str = Field(description="Printed name, without unit")
    kind: Literal["continuous", "binary", "categorical"] = Field(description="Kind of variable")
    column: str | None = Field(
        default=None, description="Column of the export's participant table; `null`: the name"
    )
    unit: str | None = Field(
        default=None, description="Printed unit of a continuous covariate; `1` for none"
    )
    range: list[float] | None = Field(
        default=None,
        description="Lowest and highest plausible value; others become missing and are counted "
        "separately; `null`: no limits",
    )
    digits: int = Field(default=1, ge=0, description="Printed decimals of a continuous covariate")
    levels: list[str] | dict[str, str | int] | None = Field(
        default=None,
        description="Levels in printed order, with the export's codes if there are any: `[never, "
        "former]` or `{never: 1, former: 2}`; other values become missing and are counted "
        "separately",
    )
    reference: str | None = Field(default=None, description="Reference level; `null`: the first")
    missing: list[str | int] = Field(
        default_factory=list,
        description="Codes of a missing value in the export, in addition to the layout's",
    )
    description: str | None = Field(default=None, description="Remark for the codebook")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.name.isidentifier() or keyword.iskeyword(self.name):
            raise ValueError(f"name {self.name!r}: use letters, digits and _, beginning with none")
        if len(self.name) > LONGEST_NAME:
            raise ValueError(f"name {self.name}: longer than {LONGEST_NAME} characters")
        if self.kind == "continuous":
            self._check_continuous()
        else:
            self._check_levels()
        return self

    def _check_continuous(self) -> None:
        if self.levels is not None or self.reference is not None:
            raise ValueError(f"{self.name}: a continuous covariate has no levels or reference")
        if self.unit is None:
            raise ValueError(f"{self.name}: a continuous covariate needs its unit (1 for none)")
        if self.range is not None and (len(self.range) != 2 or self.range[0] >= self.range[1]):
            raise ValueError(f"{self.name}: range must be [lowest, highest], but is {self.range}")

    def _check_levels(self) -> None:
        if self.unit is not None or self.range is not None:
            raise ValueError(f"{self.name}: a {self.kind} covariate has no unit or range")
        names = self.level_names
        if not names:
            raise ValueError(f"{self.name}: a {self.kind} covariate needs its levels")
        for words, what in ((names, "level"), (list(self.codes.values()), "code")):
            if twice := sorted({word for word in words if words.count(word) > 1}):
                raise ValueError(f"{self.name}: {what} {', '.join(twice)} is there twice")
        if len(names) < 2 or (self.kind == "binary" and len(names) != 2):
            expected = "two levels" if self.kind == "binary" else "two levels or more"
            raise ValueError(f"{self.name}: a {self.kind} covariate has {expected}, not {names}")
        if self.reference is not None and self.reference not in names:
            raise ValueError(
                f"{self.name}: reference {self.reference!r} is none of its levels "
                f"({', '.join(names)})"
            )

    @property
    def export_column(self) -> str:
        """Column of the export."""
        return self.column or self.name

    @property
    def codes(self) -> dict[str, str]:
        """The export's code of each level, as text."""
        if isinstance(self.levels, dict):
            return {name: plain(str(code)) for name, code in self.levels.items()}
        return {name: plain(name) for name in self.levels or ()}

    @property
    def level_names(self) -> list[str]:
        """Levels in printed order; none for a continuous covariate."""
        return list(self.levels or ())

    @property
    def reference_level(self) -> str | None:
        """Level that the others are compared with; None for a continuous covariate."""
        return self.reference or (self.level_names[0] if self.levels else None)

    @property
    def title(self) -> str:
        """Printed name with its unit, e.g. ``Age (years)``."""
        name = self.label[0].upper() + self.label[1:]
        return name if self.unit in (None, "1") else f"{name} ({self.unit})"

    def stated(self, text: "pd.Series") -> "pd.Series":
        """Return the export's text, missing where it is a code of a missing value."""
        missing = {plain(str(code)) for code in self.missing}
        return text.mask(text.map(plain, na_action="ignore").isin(missing))

    def values(self, text: "pd.Series") -> "pd.Series":
        """Return levels or numbers; missing where `text` is no level, no number or implausible."""
        if self.kind != "continuous":
            level_of = {code: name for name, code in self.codes.items()}
            return text.map(plain, na_action="ignore").map(level_of).astype("str")
        numbers = self.numbers(text)
        return numbers if self.range is None else numbers.where(numbers.between(*self.range))

    def numbers(self, text: "pd.Series") -> "pd.Series":
        """Return text as numbers, missing where it is none."""
        import pandas as pd

        return pd.to_numeric(text, errors="coerce").astype(float)


def plain(text: str) -> str:
    """Return a code without what exports add to it: ``"1.0"`` and ``" 1"`` are ``"1"``."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return text.strip()


#: What every study has. Plausible ranges of age, height and weight are parameters of curation.
BUILT_IN = (
    Covariate(
        name="sex", label="sex", kind="binary", levels=["male", "female"], reference="female"
    ),
    Covariate(name="age_years", label="age", kind="continuous", unit="years"),
    Covariate(name="height_cm", label="height", kind="continuous", unit="cm"),
    Covariate(name="weight_kg", label="weight", kind="continuous", unit="kg"),
    Covariate(
        name="bmi_kg_m2",
        label="BMI",
        kind="continuous",
        unit="kg/m²",
        description="body mass index",
    ),
)


def check_declared(covariates: Sequence[Covariate]) -> None:
    """Refuse covariates that share a name, or have one that the study uses already.

    Raises
    ------
    ValueError
        Naming the covariate.
    """
    taken = STUDY_COLUMNS | {covariate.name for covariate in BUILT_IN}
    seen: set[str] = set()
    for covariate in covariates:
        name = covariate.name
        if name in taken or name.startswith(MEASURE_PREFIXES):
            raise ValueError(f"covariates: {name} is a column of the study: choose another name")
        if name in seen:
            raise ValueError(f"covariates: {name} is declared twice")
        seen.add(name)
