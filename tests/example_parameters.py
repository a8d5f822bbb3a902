"""Sections of parameters for tests: the smallest run's, with what a test changes."""

from operator import attrgetter

from muscle_study.protocol.sections import Section
from muscle_study.running.parameters import load

SMALLEST = load("ci")


def section(name: str, **changes) -> Section:
    """Return a section of the smallest run, such as ``training.segmenter``, with other values."""
    found = attrgetter(name)(SMALLEST)
    values = {key: getattr(found, key) for key in type(found).model_fields}
    return type(found).model_validate(values | changes)
