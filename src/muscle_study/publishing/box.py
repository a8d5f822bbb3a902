"""A group of people as a box: quartiles and whiskers that reveal no single person."""

import pandas as pd

#: Centile at which whiskers end in large groups; beyond it are single people.
TAIL = 0.05

#: Explanation of the boxes for a caption.
EXPLAINED = (
    "Boxes: quartiles with the median; whiskers end at the 5th and 95th centile, in small groups "
    "where enough participants lie beyond to hide each one"
)

#: Columns of a figure's data.
COLUMNS = ("whisker_low", "quartile_low", "median", "quartile_high", "whisker_high")


def box_of(values: pd.Series, min_count: int) -> dict[str, float]:
    """Return a group's `COLUMNS`.

    At least `min_count` people lie beyond each end of the whiskers and of the box: an extreme
    centile of a few people is one of them, or lies between two.

    Parameters
    ----------
    values
        At least one value, without NaN.
    min_count
        Smallest number of people to show.
    """
    fewest = min(min_count / len(values), 0.5)
    whisker, quarter = max(TAIL, fewest), max(0.25, fewest)
    centiles = [whisker, quarter, 0.5, 1 - quarter, 1 - whisker]
    return dict(zip(COLUMNS, values.quantile(centiles), strict=True))


def drawn(box: dict[str, float]) -> dict[str, float]:
    """Return a box with the keys of matplotlib's ``bxp``."""
    return dict(zip(("whislo", "q1", "med", "q3", "whishi"), box.values(), strict=True))
