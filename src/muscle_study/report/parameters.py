"""Parameters of the report."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from muscle_study.protocol.sections import Section


def _check_html(formats: list[str]) -> list[str]:
    # the target of Make: without it every `make` would render again
    if "html" not in formats:
        raise ValueError("html must be among the formats")
    return formats


class ReportParameters(Section):
    """The manuscript's title page and file formats."""

    title: str = Field(min_length=1, description="Title of the manuscript")
    authors: list[str] = Field(min_length=1, description="Authors, as printed")
    formats: Annotated[list[Literal["html", "pdf"]], AfterValidator(_check_html)] = Field(
        min_length=1, description="Rendered formats; must include `html`"
    )
