"""The four labels of the study, their names and their mirror images."""

from enum import IntEnum
from typing import Literal

#: What labels of the psoas may hold: the muscle alone, or together with the iliacus.
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

#: What each label becomes when left and right are exchanged.
MIRRORED = {
    Label.PSOAS_LEFT: Label.PSOAS_RIGHT,
    Label.PSOAS_RIGHT: Label.PSOAS_LEFT,
    Label.GLUTEUS_LEFT: Label.GLUTEUS_RIGHT,
    Label.GLUTEUS_RIGHT: Label.GLUTEUS_LEFT,
}


def label_of(muscle: str, side: str) -> Label:
    """Return the label of a muscle's side, e.g. ``label_of("psoas", "left")``."""
    return Label[f"{muscle}_{side}".upper()]
