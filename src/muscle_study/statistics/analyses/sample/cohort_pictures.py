"""Pictures that show the synthetic cohort, as its notebook drew them."""

from matplotlib import pyplot as plt

from muscle_study.publishing.figure import Picture
from muscle_study.statistics.analyses.segmentation.picture import shown_image
from muscle_study.statistics.study.study import Study

CAPTIONS = {
    "mosaic": (
        "Synthetic participants over sex, age and BMI: coronal and axial in-phase images, one "
        "participant of median BMI a cell. The participant's right is on the left."
    ),
    "faults": (
        "Faults that are put into some scans on purpose, each shown in the same synthetic "
        "participant (water image, axial and coronal)."
    ),
    "atlas": (
        "Shape of the synthetic muscles beside those of one real person, the SPL abdominal atlas: "
        "axial section of the psoas by lumbar level, its distance from the midline, and the parts "
        "of the gluteus above the atlas's lower end. Points: median of 30 synthetic participants, "
        "with their range of 90 %. The atlas guided the shapes: agreement is no evidence."
    ),
}


def draw(study: Study, name: str) -> Picture:
    """Return a picture of `CAPTIONS`."""
    image = plt.imread(study.paths.about_cohort / f"{name}.png")
    return Picture(shown_image(image), CAPTIONS[name] + study.origin, name=f"cohort_{name}")
