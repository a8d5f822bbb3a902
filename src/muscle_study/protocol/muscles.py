"""The four labels of the study, their names and their mirror images."""

from enum import IntEnum
from typing import Literal

#: Muscles under the psoas label: the psoas alone, or together with the iliacus.
Psoas = Literal["psoas major", "iliopsoas"]

MUSCLES = ("psoas", "gluteus")
SIDES = ("left", "right")


class Label(IntEnum):
    """Value of a voxel in every label map of the project."""

    BACKGROUND = 0
    PSOAS_LEFT = 1
    PSOAS_RIGHT = 2
    GLUTEUS_LEFT = 3
    GLUTEUS_RIGHT = 4


#: The structures, without the background, in label order.
STRUCTURES = tuple(label for label in Label if label is not Label.BACKGROUND)


def label_of(muscle: str, side: str) -> Label:
    """Return the label of a muscle's side, e.g. ``label_of("psoas", "left")``."""
    return Label[f"{muscle}_{side}".upper()]


#: Label that each one becomes when left and right are exchanged.
MIRRORED = {
    label_of(muscle, side): label_of(muscle, other)
    for muscle in MUSCLES
    for side, other in zip(SIDES, reversed(SIDES), strict=True)
}
