"""Parameters of the report."""

from pydantic import Field

from muscle_study.sections import Section


class ReportParameters(Section):
    """Who wrote it and what it is called."""

    title: str
    authors: list[str] = Field(min_length=1)
    formats: list[str] = Field(min_length=1, description="html, pdf")
