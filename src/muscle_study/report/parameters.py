"""Parameters of the report."""

from typing import Literal

from pydantic import Field, field_validator

from muscle_study.protocol.sections import Section


class ReportParameters(Section):
    """Who wrote it, what it is called, and what is made of it."""

    title: str
    authors: list[str] = Field(min_length=1)
    formats: list[Literal["html", "pdf"]] = Field(min_length=1)

    @field_validator("formats")
    @classmethod
    def _html_is_always_made(cls, formats: list[str]) -> list[str]:
        # it is what Make looks for: without it every `make` would render again
        if "html" not in formats:
            raise ValueError("html must be among the formats")
        return formats
