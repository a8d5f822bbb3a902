"""The base of every section of a parameter file, and types that sections share."""

from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _check_rising(values: list[float]) -> list[float]:
    if any(later <= earlier for earlier, later in pairwise(values)):
        raise ValueError(f"must rise, but is {_plain(values)}: write {_plain(sorted(set(values)))}")
    return values


def _check_limits(values: list[float]) -> list[float]:
    if values[0] >= values[1]:
        raise ValueError(f"must be [lowest, highest], but is {_plain(values)}")
    return values


def _plain(values: list[float]) -> str:
    return f"[{', '.join(f'{value:g}' for value in values)}]"


Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Rising = AfterValidator(_check_rising)
Limits = Annotated[list[float], Field(min_length=2, max_length=2), AfterValidator(_check_limits)]
#: How many values a list by axis has: left–right, front–back, foot–head.
OfAxes = Field(min_length=3, max_length=3)


class Section(BaseModel):
    """A typed section: unknown keys and silent conversions are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    def rows(self) -> list[tuple[str, object, str]]:
        """Return the key, value and description of each parameter; nested keys are dotted."""
        rows = []
        for key, field in type(self).model_fields.items():
            value = getattr(self, key)
            sections = {key: value}
            if isinstance(value, list):
                sections = {f"{key}.{number}": each for number, each in enumerate(value)}
            if sections and all(isinstance(each, Section) for each in sections.values()):
                for name, section in sections.items():
                    rows += [(f"{name}.{nested}", *rest) for nested, *rest in section.rows()]
            else:
                rows.append((key, value, field.description or ""))
        return rows
