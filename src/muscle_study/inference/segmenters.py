"""Public segmenters whose masks can replace our network's, and their names of the muscles.

None of them outlines the psoas major alone: their iliopsoas is psoas and iliacus in one. All
outline the three parts of the gluteus, which are joined.

References
----------
TotalSegmentator: task ``total_mr`` in ``totalsegmentator/map_to_binary.py`` of
github.com/wasserth/TotalSegmentator (Akinci D'Antonoli et al., Radiology 2025;314:e241613).

VIBESegmentator: table "Label Model 100" in the README of github.com/robert-graf/VIBESegmentator
(Graf et al., Eur Radiol 2025, doi 10.1007/s00330-025-12035-9).

MRSegmentator: table "Class details" in the README of github.com/hhaentze/MRSegmentator, version 1.1
(Häntze et al., arXiv:2405.06463).
"""

from typing import NamedTuple

from muscle_study.protocol.muscles import SIDES, Psoas

#: For each of our structures, the segmenter's names that are joined to it, with their number in a
#: file of all structures; masks in separate files need no number.
LabelTable = dict[str, dict[str, int | None]]


class Segmenter(NamedTuple):
    """A segmenter: its printed name, what its psoas label covers, and its names and numbers."""

    title: str
    psoas: Psoas
    labels: LabelTable


def _table(gluteus: str, psoas: str, first_gluteus: int, first_psoas: int) -> LabelTable:
    """Return the table of a segmenter that numbers left and right in turn.

    Parameters
    ----------
    gluteus, psoas
        Names with ``{part}`` and ``{side}``.
    first_gluteus, first_psoas
        Numbers of the left maximus, before medius and minimus, and of the left iliopsoas.
    """
    table: LabelTable = {}
    for right, side in enumerate(SIDES):
        table[f"psoas_{side}"] = {psoas.format(side=side): first_psoas + right}
        table[f"gluteus_{side}"] = {
            gluteus.format(part=part, side=side): first_gluteus + 2 * i + right
            for i, part in enumerate(("maximus", "medius", "minimus"))
        }
    return table


SEGMENTERS = {
    "totalsegmentator": Segmenter(
        "TotalSegmentator (total_mr)",
        "iliopsoas",
        _table("gluteus_{part}_{side}", "iliopsoas_{side}", 40, 48),
    ),
    "vibesegmentator": Segmenter(
        "VIBESegmentator",
        "iliopsoas",
        _table("gluteus_{part}_{side}", "iliopsoas_{side}", 53, 61),
    ),
    "mrsegmentator": Segmenter(
        "MRSegmentator",
        "iliopsoas",
        _table("{side}_gluteus_{part}", "{side}_iliopsoas_muscle", 35, 33),
    ),
}
