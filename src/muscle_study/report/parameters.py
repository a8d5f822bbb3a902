"""Parameters of the report."""

from typing import Literal

from pydantic import Field

from muscle_study.sections import Section


class ReportParameters(Section):
    """Who wrote it, what it is called, and what is made of it."""

    title: str
    authors: list[str] = Field(min_length=1)
    formats: list[Literal["html", "pdf"]] = Field(min_length=1)
