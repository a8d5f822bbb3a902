"""Exit when the parent process dies; Linux does not notify its children."""

import os
import threading
import time
from collections.abc import Callable

SECONDS_BETWEEN_LOOKS = 0.5


def exit_with_parent(before: Callable[[], None] = lambda: None) -> None:
    """Exit this process soon after its parent has ended, calling `before` first."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        before()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
