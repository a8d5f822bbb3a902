"""The Jupyter kernel of a stage's notebook: from this environment, ended with the run."""

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
    """A kernel of the running Python.

    Jupyter may first find another environment's kernelspec named ``python3``, in the home folder
    or on ``JUPYTER_PATH``.
    """

    started: ClassVar[list[int]] = []

    #: File descriptors that kernels inherit: they keep the run locked until the kernel of a killed
    #: stage has ended.
    inherited: ClassVar[list[int]] = []

    @property
    def kernel_spec(self) -> KernelSpec:
        """Kernelspec of this Python, independent of registered ones."""
        # the kernel's own log (ports, its interruption) would interleave with the stage's lines
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
