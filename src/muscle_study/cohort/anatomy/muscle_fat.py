"""How fat is spread inside a muscle."""

from dataclasses import dataclass

import numpy as np

from muscle_study.cohort.anatomy.fields import SmoothField
from muscle_study.cohort.scanner.grid import FIELD_OF_VIEW_MM
from muscle_study.protocol.muscles import Label

#: Fat varies smoothly over about this length, with this SD relative to its mean (our assumption).
PATCH_MM, PATCH_SD = 12.0, 0.30

#: The gluteus maximus is built of coarse bundles with fat between them, that run down and outwards
#: from the sacrum. Thickness of a bundle, steepness of its course and SD of the fat across it,
#: relative to the mean (our assumptions; the order of what coronal images show).
BUNDLE_MM, BUNDLE_DEG, BUNDLE_SD = 9.0, 40.0, 0.7

#: Fat is never less than this share of its mean, nor more than this multiple.
RANGE = (0.05, 4.0)


@dataclass(frozen=True)
class FatTexture:
    """Fat relative to its mean, by place.

    Parameters
    ----------
    patches
        Smooth field over the whole body.
    bundles
        The same, read in coordinates across the bundles.
    """

    patches: SmoothField
    bundles: SmoothField

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "FatTexture":
        """Draw a participant's texture."""
        # across the bundles, along them, and the depth: long along, short across
        box = ((-120.0, 120.0), FIELD_OF_VIEW_MM[1], (-500.0, 500.0))
        return cls(
            SmoothField.draw(FIELD_OF_VIEW_MM, PATCH_MM, rng),
            SmoothField.draw(box, BUNDLE_MM, rng),
        )

    def at(self, label: Label, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return the factor at points of a muscle, shape (n,), float32."""
        factor = 1 + PATCH_SD * self.patches.at_points(x, y, z)
        if label in (Label.GLUTEUS_LEFT, Label.GLUTEUS_RIGHT):
            steep = np.deg2rad(BUNDLE_DEG)
            across = np.cos(steep) * z + np.sin(steep) * abs(x)
            along = (np.sin(steep) * z - np.cos(steep) * abs(x)) / 6
            factor += BUNDLE_SD * self.bundles.at_points(along, y, across)
        return factor.clip(*RANGE).astype(np.float32)
