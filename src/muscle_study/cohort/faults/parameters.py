"""Parameters of the synthetic cohort's deliberate faults."""

from typing import Self

from pydantic import Field, model_validator

from muscle_study.protocol.sections import Section, Share


class FaultParameters(Section):
    """Share of the imaged participants with each fault.

    A rate is the mean over the cohort; some faults are more frequent at high BMI and less at low
    BMI. The rates add up to at most 0.5.
    """

    swap_whole: Share = Field(description="Water and fat exchanged in the whole volume")
    swap_station: Share = Field(description="Water and fat exchanged in one station")
    swap_side: Share = Field(description="Water and fat exchanged on one side of the body")
    cut_top: Share = Field(description="Field of view ends too low")
    cut_bottom: Share = Field(description="Field of view ends too high")
    cut_sides: Share = Field(description="Field of view without arms and lateral fat")
    implant_hip: Share = Field(
        description="Hip prosthesis: signal void, water and fat exchanged around it"
    )
    implant_spine: Share = Field(description="Screws and rods in the lumbar spine, likewise")
    severe_motion: Share = Field(description="Severe motion in every station")
    identity_affine: Share = Field(description="Lost affine: voxels of 1 mm at the origin")
    flipped_affine: Share = Field(description="Affine with one direction reversed")
    duplicate_scan: Share = Field(description="Another participant's images")
    repeat_scan: Share = Field(description="A poor scan and a good repeat, in `<id>_2`")
    missing_contrast: Share = Field(description="One contrast missing")
    no_images: Share = Field(description="No images")
    empty_file: Share = Field(description="One image file without content")
    truncated_file: Share = Field(
        description="One truncated image file, as after an interrupted transfer"
    )
    nan_voxels: Share = Field(description="Voxels of one contrast that are not a number")
    wrong_shape: Share = Field(description="Last slices of one contrast missing")
    unknown_label: Share = Field(
        description="Undefined value in the reference labels; share of the annotated"
    )
    bmi_contradiction: Share = Field(description="BMI that contradicts height and weight")
    duplicate_id: Share = Field(description="Identifier on two rows of the table")
    missing_age: Share = Field(description="Age missing")
    mislabelled_contrast: Share = Field(description="Two contrasts under each other's names")

    @model_validator(mode="after")
    def _leave_most_whole(self) -> Self:
        total = sum(self.model_dump().values())
        if total > 0.5:
            raise ValueError(f"the rates add up to {total:.2f}, but at most 0.5 can be: lower some")
        return self
