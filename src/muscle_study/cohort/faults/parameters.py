"""Parameters of the synthetic cohort's deliberate faults."""

from typing import Self

from pydantic import Field, model_validator

from muscle_study.protocol.sections import Section


def _rate(description: str) -> float:
    return Field(ge=0, le=1, description=f"share of participants: {description}")


class FaultParameters(Section):
    """How often each kind of fault is expected; the fields are named as in `faults.kinds.Fault`.

    A rate is the mean over the cohort. Kinds that depend on BMI (`faults.rates.BY_BMI`) are
    commoner in some participants and rarer in the others.
    """

    swap_whole: float = _rate("water and fat exchanged everywhere")
    swap_station: float = _rate("water and fat exchanged in one station")
    swap_side: float = _rate("water and fat exchanged on one side")
    cut_top: float = _rate("field of view cut off towards the head")
    cut_bottom: float = _rate("field of view cut off towards the feet")
    cut_sides: float = _rate("field of view too narrow for the body")
    implant_hip: float = _rate("metal in one hip")
    implant_spine: float = _rate("metal in the lumbar spine")
    severe_motion: float = _rate("much movement during the scan")
    identity_affine: float = _rate("affine lost")
    flipped_affine: float = _rate("a direction of the affine turned round")
    duplicate_scan: float = _rate("another participant's images")
    repeat_scan: float = _rate("a bad scan and a good second one")
    missing_contrast: float = _rate("a contrast is missing")
    no_images: float = _rate("no images")
    empty_file: float = _rate("an image file without content")
    truncated_file: float = _rate("an image file cut short")
    nan_voxels: float = _rate("an image with NaN")
    wrong_shape: float = _rate("an image that lacks slices")
    unknown_label: float = Field(
        ge=0, le=1, description="share of annotated participants: a label that means nothing"
    )
    bmi_contradiction: float = _rate("BMI contradicts height and weight")
    duplicate_id: float = _rate("listed twice")
    missing_age: float = _rate("age is missing")
    mislabelled_contrast: float = _rate("two contrasts under each other's names")

    @model_validator(mode="after")
    def _leave_most_whole(self) -> Self:
        total = sum(self.model_dump().values())
        if total > 0.5:
            raise ValueError(f"the rates add up to {total:.2f}, but at most 0.5 can be: lower some")
        return self
