"""The kernel that runs a stage's notebook: this environment's, and gone when its run is."""

import contextlib
import os
import signal
import threading
import time
from typing import ClassVar

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

SECONDS_BETWEEN_LOOKS = 0.5


class OwnKernel(AsyncKernelManager):
    """A kernel of this very Python.

    Another environment's kernelspec may be registered under the same name ``python3``, in the home
    folder or on ``JUPYTER_PATH``, and Jupyter may find it first.
    """

    started: ClassVar[list[int]] = []

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernelspec of this Python, whatever is registered."""
        # its own log would stand between the stage's lines: ports, and its interruption at the end
        return KernelSpec(**get_kernel_dict(extra_arguments=["--log-level=CRITICAL"]))

    async def _async_post_start_kernel(self, **keywords: object) -> None:
        await super()._async_post_start_kernel(**keywords)
        self.started.append(self.provisioner.pid)

    post_start_kernel = _async_post_start_kernel


def kill_kernels() -> None:
    """Kill every kernel of this process, each with the worker processes in its group."""
    while OwnKernel.started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(OwnKernel.started.pop(), signal.SIGKILL)


def stop_with_parent() -> None:
    """End this process and its kernels soon after the parent is gone.

    A SIGKILL reaches Make alone. Without this, the stage would go on, and race with the one that
    the next `make` starts.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        kill_kernels()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
