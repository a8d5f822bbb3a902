"""Distribution of fat inside a muscle."""

from dataclasses import dataclass

import numpy as np

from muscle_study.cohort.anatomy.fields import FIELD_OF_VIEW_MM, SmoothField
from muscle_study.protocol.muscles import Label

#: Length over which fat varies smoothly (mm), and SD relative to the mean (our assumptions).
PATCH_MM, PATCH_SD = 12.0, 0.30

#: The gluteus consists of coarse bundles, with fat between them, that run down and outwards from
#: the sacrum: thickness (mm), steepness (degrees), and SD of the fat across bundles relative to the
#: mean (our assumptions, of the order seen in coronal images).
BUNDLE_MM, BUNDLE_DEG, BUNDLE_SD = 9.0, 40.0, 0.7

#: Least and greatest fat relative to the mean.
RANGE = (0.05, 4.0)


@dataclass(frozen=True)
class FatTexture:
    """Fat relative to its mean: a field in space and one along and across the bundles."""

    patches: SmoothField
    bundles: SmoothField

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "FatTexture":
        """Draw a participant's texture."""
        box = ((-120.0, 120.0), FIELD_OF_VIEW_MM[1], (-500.0, 500.0))
        return cls(
            SmoothField.draw(FIELD_OF_VIEW_MM, PATCH_MM, rng),
            SmoothField.draw(box, BUNDLE_MM, rng),
        )

    def at(self, label: Label, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return fat relative to its mean at points of a muscle, shape (n,), float32."""
        factor = 1 + PATCH_SD * self.patches.at_points(x, y, z)
        if label in (Label.GLUTEUS_LEFT, Label.GLUTEUS_RIGHT):
            steep = np.deg2rad(BUNDLE_DEG)
            across = np.cos(steep) * z + np.sin(steep) * abs(x)
            along = (np.sin(steep) * z - np.cos(steep) * abs(x)) / 6
            factor += BUNDLE_SD * self.bundles.at_points(along, y, across)
        return factor.clip(*RANGE).astype(np.float32)
