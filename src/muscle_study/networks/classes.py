"""Classes of each network.

The localiser sees the whole field of view and distinguishes left from right. The segmenter sees a
part, in which sides are hard to tell, and distinguishes muscles only.
"""

from typing import NamedTuple

from muscle_study.protocol.muscles import MUSCLES, STRUCTURES, Label


class Classes(NamedTuple):
    """Names of a network's classes without background, class 0; and the class of each label."""

    names: tuple[str, ...]
    of_label: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of classes with the background."""
        return len(self.names) + 1


CLASSES = {
    "localiser": Classes(tuple(label.name.lower() for label in STRUCTURES), tuple(Label)),
    "segmenter": Classes(MUSCLES, (0, 1, 1, 2, 2)),
}
