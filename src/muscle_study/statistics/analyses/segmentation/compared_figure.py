"""The measures by the study's segmentation against those by another one."""

from muscle_study.publishing.bland_altman import EXPLAINED, draw_outcomes
from muscle_study.publishing.figure import Picture
from muscle_study.statistics.analyses.segmentation.compared import (
    other_segmenter,
    read_comparison,
    read_pairs,
    size,
)
from muscle_study.statistics.study.study import Study


def draw(study: Study) -> Picture:
    """Draw Bland and Altman's plot of both outcomes as densities, with bias and limits."""
    statistics = read_comparison(study).set_index("measure")
    figure, lines = draw_outcomes(study, read_pairs(study), statistics, ("ours", "other"))
    caption = (
        f"Agreement of the measures by {study.segmenter} (ours) with those by "
        f"{other_segmenter(study)} (other; n = {size(study)}): difference against the mean of "
        f"both; {EXPLAINED}" + study.imaged_only + study.origin
    )
    return Picture(figure, caption, lines, name="comparison")
