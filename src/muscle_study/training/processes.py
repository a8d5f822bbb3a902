"""Training on several devices, in Python processes that a kernel cannot start itself."""

import os
import re
import subprocess
import sys
from collections import deque

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import clear_output

from muscle_study.mapping import progress
from muscle_study.protocol.files import write_json
from muscle_study.protocol.paths import RunPaths
from muscle_study.training.parameters import TrainingParameters

#: Last lines of output quoted in the message of a failure.
LINES_KEPT = 8

#: Indented lines of a traceback, behind the process's name.
_FRAME = re.compile(r"(\[rank\d+\]: )?\s")


def is_distributed(parameters: TrainingParameters) -> bool:
    """Whether several processes train together."""
    return parameters.devices != 1 or parameters.nodes > 1


def train_in_processes(paths: RunPaths, parameters: TrainingParameters) -> None:
    """Train in a process from which Lightning starts one per further device; echo its output.

    Raises
    ------
    RuntimeError
        The training failed; the message quotes its last output.
    """
    handed = paths.model / "parameters.json"
    write_json(parameters.model_dump(mode="json"), handed)
    command = [sys.executable, "-m", "muscle_study", "train"]
    command += ["--run", paths.run, "--parameters", str(handed)]
    command += ["--scratch"] if paths.scratch else []
    environment = {progress.PLAIN: "lines", **os.environ}
    # within a SLURM job, Lightning would wait for processes started by srun
    environment.pop("SLURM_NTASKS", None)
    said: deque[str] = deque(maxlen=LINES_KEPT)
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            for line in process.stdout:
                if not _FRAME.match(line):
                    said.append(line)
                print(line, end="", flush=True)
        except BaseException:
            process.terminate()
            raise
    handed.unlink()
    if process.returncode:
        raise RuntimeError(
            f"training on {parameters.devices} devices ended with exit code {process.returncode}. "
            f"What it said last:\n{''.join(said)}"
        )
    if InteractiveShell.initialized():
        clear_output()  # progress, as of a training in the kernel
