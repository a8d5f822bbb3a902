"""The kernel that runs a stage's notebook: this environment's, and gone when its run is."""

import contextlib
import os
import signal
from typing import Any, ClassVar

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

#: Environment variable by which a notebook knows that the runner executes it.
BY_RUNNER = "MUSCLE_STUDY_BY_RUNNER"


class OwnKernel(AsyncKernelManager):
    """A kernel of this very Python.

    Another environment's kernelspec may be registered under the same name ``python3``, in the home
    folder or on ``JUPYTER_PATH``, and Jupyter may find it first.
    """

    started: ClassVar[list[int]] = []

    #: File descriptors that kernels inherit. With them they hold the run's lock, so that it is not
    #: free before the kernel of a killed stage is gone.
    inherited: ClassVar[list[int]] = []

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernelspec of this Python, whatever is registered."""
        # its own log would stand between the stage's lines: ports, and its interruption at the end
        return KernelSpec(**get_kernel_dict(extra_arguments=["--log-level=CRITICAL"]))

    async def _async_launch_kernel(self, kernel_cmd: list[str], **keywords: Any) -> None:
        keywords["env"] = {**keywords["env"], BY_RUNNER: "1"}
        await super()._async_launch_kernel(kernel_cmd, pass_fds=self.inherited, **keywords)

    _launch_kernel = _async_launch_kernel

    async def _async_post_start_kernel(self, **keywords: object) -> None:
        await super()._async_post_start_kernel(**keywords)
        self.started.append(self.provisioner.pid)

    post_start_kernel = _async_post_start_kernel


def kill_kernels() -> None:
    """Kill every kernel of this process, each with the worker processes in its group."""
    while OwnKernel.started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(OwnKernel.started.pop(), signal.SIGKILL)
