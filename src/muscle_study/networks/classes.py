"""What each network tells apart.

The localiser sees the whole field of view and tells left from right. The segmenter sees a part,
from which sides are hard to tell, and outlines a muscle alike on both: it tells muscles alone.
"""

from typing import NamedTuple

from muscle_study.protocol.muscles import MUSCLES, STRUCTURES, Label


class Classes(NamedTuple):
    """A network's outputs.

    Parameters
    ----------
    names
        Without the background, which is class 0.
    of_label
        The class of each label, by the label's value.
    """

    names: tuple[str, ...]
    of_label: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many there are, with the background."""
        return len(self.names) + 1


CLASSES = {
    "localiser": Classes(tuple(label.name.lower() for label in STRUCTURES), tuple(Label)),
    "segmenter": Classes(MUSCLES, (0, 1, 1, 2, 2)),
}
