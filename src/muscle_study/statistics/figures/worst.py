"""The test participants whose segmentation is worst, as measurement drew them."""

from matplotlib import pyplot as plt

from muscle_study.statistics.figures.picture import shown_image, withheld
from muscle_study.statistics.study import Study
from muscle_study.statistics.style import Picture


def draw(study: Study) -> Picture:
    """Show the picture; in a run on real people it is withheld, being of individuals."""
    if not study.synthetic:
        return withheld(
            "worst",
            "The worst segmentations are withheld in runs on real people: no individual picture "
            "leaves the data folder. They are kept there for quality control "
            "(measurements/worst.png).",
        )
    image = plt.imread(study.paths.measurements / "worst.png")
    caption = (
        "The worst segmentations of the test split: of the participants with the lowest Dice of "
        "any structure, the axial slice in which that structure's outlines differ most. Coloured: "
        "the segmentation; white: the reference labels. The participant's right is on the left."
        + study.imaged_only
        + study.origin
    )
    return Picture("worst", shown_image(image), caption)
