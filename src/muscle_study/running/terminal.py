"""Progress of a running stage: one rewritten line in a terminal, plain lines in a log."""

import re
import shutil
import threading
import time
from types import TracebackType
from typing import Self, TextIO

#: A count, as the kernel prints it.
_COUNT = re.compile(r"\b(\d+)/(\d+)\b")
BAR_WIDTH = 20


def bar(said: str) -> str:
    """Return a bar for the count in a line of progress; empty without a count."""
    found = _COUNT.search(said)
    if not found or not int(found[2]):
        return ""
    full = BAR_WIDTH * min(int(found[1]), int(found[2])) // int(found[2])
    return "█" * full + "░" * (BAR_WIDTH - full)


class StageLine:
    """File-like object that shows the progress of a stage from the kernel's output.

    Parameters
    ----------
    stage
        Name of the stage.
    cells
        Number of cells.
    stream
        Terminal or log.
    """

    def __init__(self, stage: str, cells: int, stream: TextIO):
        self.stage, self.cells, self.stream = stage, cells, stream
        self.live = stream.isatty()
        self.cell = 0
        self.last = self.rest = ""
        self.started = time.monotonic()
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        if self.live:
            threading.Thread(target=self._tick, daemon=True).start()
        else:
            self._log("started")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._closed.set()
        self._log(f"{'failed' if kind else 'done'} in {self._elapsed()}")

    def start_cell(self, cell: object, cell_index: int) -> None:
        """Show that a cell begins; nbclient's ``on_cell_start``."""
        self.cell = cell_index + 1
        self._draw()

    def write(self, text: str) -> None:
        """Take output of the kernel; only whole lines are shown."""
        *lines, self.rest = (self.rest + text).split("\n")
        for line in filter(str.strip, lines):
            self.last = line.strip()
            if self.live:
                self._draw()
            else:
                self._log(self.last)

    def flush(self) -> None:
        """Do nothing: output is shown at once."""

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        return f"{minutes}:{seconds:02d}"

    def _log(self, message: str) -> None:
        start = "\r\x1b[K" if self.live else ""
        print(f"{start}[{self.stage}] {message}", file=self.stream, flush=True)

    def _draw(self) -> None:
        with self._lock:
            if not self.live or self._closed.is_set():
                return
            parts = [
                f"[{self.stage}] cell {self.cell}/{self.cells}",
                self._elapsed(),
                bar(self.last),
                self.last,
            ]
            line = " · ".join(filter(None, parts))[: shutil.get_terminal_size().columns - 1]
            print(f"\r\x1b[K{line}", end="", file=self.stream, flush=True)

    def _tick(self) -> None:
        while not self._closed.wait(1.0):
            self._draw()
