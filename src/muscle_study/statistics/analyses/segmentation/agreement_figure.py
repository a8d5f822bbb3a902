"""Measured values against the synthetic cohort's known truth."""

from muscle_study.protocol.files import read_table
from muscle_study.publishing.bland_altman import EXPLAINED, draw_outcomes
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import format_number
from muscle_study.statistics.analyses.segmentation.quality import read_agreement
from muscle_study.statistics.study.study import Study


def draw(study: Study) -> Picture:
    """Draw Bland and Altman's plot of both outcomes as densities, with bias and limits."""
    errors = read_table(study.paths.measurements / "errors.csv")
    pairs = study.measures.merge(errors, on="participant_id", suffixes=("", "_difference"))
    agreement = read_agreement(study)
    statistics = agreement[agreement["group"] == "unseen"].set_index("measure")
    figure, lines = draw_outcomes(study, pairs, statistics, ("measured", "truth"))
    n = len(pairs)
    size = f" (n = {format_number(study.rounded(n))})" if n >= study.min_count else ""
    caption = (
        f"Agreement with the known truth in everyone whom training never saw{size}: difference "
        f"measured − truth against the mean of both; {EXPLAINED}"
        + study.stand_in
        + study.imaged_only
        + study.origin
    )
    return Picture(figure, caption, lines, name="agreement")
