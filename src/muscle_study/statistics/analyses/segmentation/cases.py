"""Typical and worst segmentations of test participants, drawn by stage measurement."""

from matplotlib import pyplot as plt

from muscle_study.publishing.figure import Picture
from muscle_study.publishing.result import Result
from muscle_study.statistics.analyses.segmentation.picture import shown_image, withheld
from muscle_study.statistics.study.study import Study


def cases(study: Study) -> Result:
    """Return the picture; withheld in a run on real people, as it shows individuals."""
    if not study.synthetic:
        return withheld(
            "cases",
            "Typical and worst segmentations are withheld in runs on real people: no individual "
            "picture leaves the data folder. They are kept there for quality control "
            "(measurements/cases.png).",
        )
    image = plt.imread(study.paths.measurements / "cases.png")
    caption = (
        "Typical and worst segmentations of the test split: for each structure the participant "
        "whose Dice coefficient (above the picture) is nearest to the median, and the one with the "
        "lowest; the axial slice in which the outlines differ most. Coloured: the segmentation; "
        "white: the reference labels. The participant's right is on the left."
        + study.imaged_only
        + study.origin
    )
    return Result("cases", figure=Picture(shown_image(image), caption))
