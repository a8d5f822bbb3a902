"""The base of every section of a parameter file."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A typed section: unknown keys and silent conversions are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def from_notebook(cls, namespace: dict[str, Any]) -> Self:
        """Collect the section from the variables of a notebook's parameters cell.

        Parameters
        ----------
        namespace
            The notebook's ``globals()``.

        Raises
        ------
        KeyError
            Naming the variable that the parameters cell lacks.
        """
        return cls.model_validate({name: namespace[name] for name in cls.model_fields})
