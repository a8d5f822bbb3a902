"""Progress of long work: a bar in JupyterLab, plain lines where a runner or a log reads them."""

import os
import time
from typing import Self

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import clear_output
from tqdm import tqdm

#: Set by the runner, whose terminal line and log want plain lines.
PLAIN = "MUSCLE_STUDY_PLAIN_PROGRESS"

SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Count finished items and say so now and then.

    Parameters
    ----------
    label
        What is being done.
    total
        Number of items.
    """

    def __init__(self, label: str, total: int):
        self.label, self.total = label, total
        self.done = self.failed = 0
        self.started = self.last_line = time.monotonic()
        self.bar = None if os.environ.get(PLAIN) else tqdm(total=total, desc=label)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.bar is not None:
            self.bar.close()
            return
        self._print_line()
        if InteractiveShell.initialized():
            # The runner has the lines. In the executed notebook they would be noise, and they
            # count exclusions, which may be too few to be published.
            clear_output()

    def advance(self, failed: bool = False, note: str = "") -> None:
        """Count one more item; `note` is shown behind the count."""
        self.done += 1
        self.failed += failed
        if self.bar is not None:
            self.bar.update()
            if note:
                self.bar.set_postfix_str(note)
        elif time.monotonic() - self.last_line >= SECONDS_BETWEEN_LINES and self.done < self.total:
            self._print_line(note)

    def _print_line(self, note: str = "") -> None:
        self.last_line = time.monotonic()
        seconds = self.last_line - self.started
        parts = [f"{self.label} {self.done}/{self.total}"]
        if self.failed:
            parts.append(f"{self.failed} excluded")
        if 0 < self.done < self.total:
            parts.append(f"{seconds / self.done * (self.total - self.done):.0f} s left")
        if note:
            parts.append(note)
        print(" · ".join(parts), flush=True)
