"""Progress of long work: a bar in JupyterLab, plain lines for the runner and for logs."""

import datetime
import os
import time
from collections import Counter
from pathlib import Path
from typing import Self

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import clear_output
from tqdm import tqdm

from muscle_study.protocol.files import write_json

#: Environment variable for plain lines; `LIVE` if they rewrite a terminal's line.
PLAIN = "MUSCLE_STUDY_PLAIN_PROGRESS"
LIVE = "live"

#: Environment variable with the file in which `make status` finds a stage's progress.
KEPT_IN = "MUSCLE_STUDY_PROGRESS_FILE"

#: Intervals between a terminal's lines and, at first, a log's, whose lines become rarer with time:
#: a share of the time so far, up to a maximum.
LIVE_SECONDS, LOG_SECONDS = 1.0, 5.0
LOG_SHARE, MOST_SECONDS = 0.02, 600.0


class Progress:
    """Count finished items and report them from time to time.

    The remaining time is estimated from `began`, the start of the first item; set it where looking
    up finished work or waiting for a worker comes before.

    Parameters
    ----------
    label
        Name of the work.
    total
        Number of items.
    """

    def __init__(self, label: str, total: int):
        self.label, self.total = label, total
        self.done = self.earlier = 0
        self.failed: Counter[str] = Counter()
        self.started = self.began = self.last_line = time.monotonic()
        self.plain = os.environ.get(PLAIN)
        self.not_kept = False
        self.bar = None if self.plain else tqdm(total=total, desc=label)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.bar is not None:
            self.bar.close()
            return
        self._print_line()
        if InteractiveShell.initialized():
            # The runner has read the lines. In the executed notebook they would be noise, and
            # their counts of exclusions may be too small to be published.
            clear_output()

    def advance(self, reason: str | None = None, earlier: bool = False, note: str = "") -> None:
        """Count one more item.

        Parameters
        ----------
        reason
            Reason of a failure.
        earlier
            Whether an earlier run finished it.
        note
            Text behind the count.
        """
        self.done += 1
        self.earlier += earlier
        if reason is not None:
            self.failed[str(reason)] += 1
        if self.bar is not None:
            self.bar.set_postfix_str(" · ".join(filter(None, [*self._counts(), note])), False)
            self.bar.update()
        elif time.monotonic() - self.last_line >= self._between() and self.done < self.total:
            self._print_line(note)

    def say(self, text: str) -> None:
        """Show a line of text."""
        if self.bar is not None:
            self.bar.write(text)
        else:
            print(text, flush=True)

    def wait(self, why: str) -> None:
        """Show why the work waits; `make status` shows it too, until the next item."""
        self.say(why)
        self._keep([self._so_far(), *self._counts(), why])

    def _between(self) -> float:
        if self.plain == LIVE:
            return LIVE_SECONDS
        elapsed = time.monotonic() - self.started
        return min(max(LOG_SECONDS, LOG_SHARE * elapsed), MOST_SECONDS)

    def _so_far(self) -> str:
        return f"{self.label} {self.done}/{self.total}"

    def _counts(self) -> list[str]:
        failed = self.failed.total()
        return [
            *([f"{failed} excluded"] if failed else []),
            *([f"{self.earlier} done before"] if self.earlier else []),
        ]

    def _print_line(self, note: str = "") -> None:
        self.last_line = time.monotonic()
        seconds = self.last_line - self.began
        parts = [self._so_far(), *self._counts()]
        now = self.done - self.earlier
        if now > 0 and self.done < self.total:
            parts.append(_rate(now / seconds))
            parts.append(f"{_duration(seconds / now * (self.total - self.done))} left")
        if note:
            parts.append(note)
        print(" · ".join(parts), flush=True)
        self._keep(parts)

    def _keep(self, parts: list[str]) -> None:
        path = os.environ.get(KEPT_IN)
        if path is None:
            return
        kept = {
            "said": " · ".join(parts),
            "at": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            "label": self.label,
            "total": self.total,
            "done": self.done,
            "earlier": self.earlier,
            "excluded": dict(sorted(self.failed.items())),
        }
        try:
            write_json(kept, Path(path))
        except OSError as error:  # which must not end work of days
            if not self.not_kept:
                self.say(f"{path} cannot be written ({error.strerror}): make status is outdated")
            self.not_kept = True


def _rate(per_second: float) -> str:
    if per_second >= 1:
        return f"{per_second:.1f} a second"
    return f"{60 * per_second:.1f} a minute"


def _duration(seconds: float) -> str:
    """Return a duration in its two largest units."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
