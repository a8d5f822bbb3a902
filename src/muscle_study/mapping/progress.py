"""Progress of long work: a bar in JupyterLab, plain lines where a runner or a log reads them."""

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

#: Set by the runner, which wants plain lines; to `LIVE` where they rewrite a terminal's line.
PLAIN = "MUSCLE_STUDY_PLAIN_PROGRESS"
LIVE = "live"

#: Set by the runner: the file in which `make status` finds how far a stage is.
KEPT_IN = "MUSCLE_STUDY_PROGRESS_FILE"

#: Between a terminal's lines, and at first between a log's. These become rarer with time, or work
#: of days would fill the log.
LIVE_SECONDS, LOG_SECONDS = 1.0, 5.0
LOG_SHARE, MOST_SECONDS = 0.02, 600.0


class Progress:
    """Count finished items and say so now and then.

    `began`, when the first of them was begun, may be set: to look for what is done, and to wait for
    a worker, tells nothing of the time that is left.

    Parameters
    ----------
    label
        What is being done.
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
            # The runner has the lines. In the executed notebook they would be noise, and they
            # count exclusions, which may be too few to be published.
            clear_output()

    def advance(self, reason: str | None = None, earlier: bool = False, note: str = "") -> None:
        """Count one more item.

        Parameters
        ----------
        reason
            Why it failed, if it did.
        earlier
            Whether it was done by an earlier run already.
        note
            Shown behind the count.
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
        """Show a line of text once."""
        if self.bar is not None:
            self.bar.write(text)
        else:
            print(text, flush=True)

    def wait(self, why: str) -> None:
        """Show why nothing goes on; `make status` shows it too, until something does."""
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
        except OSError as error:  # work of days must not end with it
            if not self.not_kept:
                self.say(f"{path} cannot be written ({error.strerror}): make status is behind")
            self.not_kept = True


def _rate(per_second: float) -> str:
    if per_second >= 1:
        return f"{per_second:.1f} a second"
    return f"{60 * per_second:.1f} a minute"


def _duration(seconds: float) -> str:
    """Return a duration as a person would say it, in its two largest units at most."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
