"""Thresholds above which a scan is flagged."""

from pydantic import Field

from muscle_study.protocol.sections import Section


def _most(description: str) -> float | None:
    return Field(ge=0, description=f"{description}; null flags nobody")


class QualityParameters(Section):
    """The largest scores that are not flagged; see `quality.scores`."""

    most_noise: float | None = _most("SD in air over the body's median signal")
    most_ghosting: float | None = _most("signal before and behind the body, worst slices")
    most_motion: float | None = _most("blur of the skin from front to back")
    most_void_ml: float | None = _most("largest void at spine or hips")
    most_intensity: float | None = _most("brightest over median signal")
    most_disagreement: float | None = _most("in phase against W + F, opposed against |W − F|")
    least_extent_share: float | None = Field(
        ge=0, le=1, description="field of view over the participants' median, along each axis"
    )
