"""The base of every section of a parameter file."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A typed section: unknown keys and silent conversions are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

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
