"""The end of the parent process, of which Linux tells its children nothing."""

import os
import threading
import time
from collections.abc import Callable

SECONDS_BETWEEN_LOOKS = 0.5


def end_with_parent(before: Callable[[], None] = lambda: None) -> None:
    """End this process soon after its parent is gone; call `before` first."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        before()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
