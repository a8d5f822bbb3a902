"""Time and peak memory of work in a separate process."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from muscle_study.mapping.worker_process import library_environment

BYTES_PER_GB = 1e9


@dataclass(frozen=True)
class Measured:
    """Result of the last run, median seconds, and peak memory of the whole process (10⁹ bytes)."""

    result: Any
    seconds: float
    peak_gb: float


def measure(
    prepare: Callable[..., Callable[[], Any]], *arguments: Any, threads: int, runs: int
) -> Measured:
    """Measure the work that `prepare` returns.

    Parameters
    ----------
    prepare
        Module-level function that loads what a worker loads once, untimed, and returns the work.
    arguments
        Arguments of `prepare`.
    threads
        Number of threads for libraries.
    runs
        Number of repetitions of the work.
    """
    # spawned, not forked: a fork would start with its parent's memory
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with _environment(library_environment(threads)), pool:
        done = pool.submit(_run, prepare, arguments, threads, runs).result()
    print(f"  {prepare.__module__}.{prepare.__name__}: {done.seconds:.1f} s", flush=True)
    return done


def scaled_seconds(total: float, part: float, share: float) -> float:
    """Extrapolate a duration from work with only a share of one part done.

    Parameters
    ----------
    total
        Measured duration, s.
    part
        Measured duration of the shortened part, s.
    share
        Share of that part that was done, above 0 and up to 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"the share that was done must be above 0 and at most 1, not {share}")
    return total - part + part / share


@contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    """Set the environment of new processes as for work on participants."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _run(prepare: Callable, arguments: tuple, threads: int, runs: int) -> Measured:
    import torch  # here: the process that only waits needs no torch

    torch.set_num_threads(threads)
    work = prepare(*arguments)
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - started)
    return Measured(result, median(seconds), peak_gb())


def peak_gb(process: int | str = "self") -> float:
    """Return the peak memory of this process or of a process identifier, GB.

    Linux resets this record for a new program; `getrusage` may include the parent's peak.

    Raises
    ------
    FileNotFoundError
        If there is no such process.
    """
    status = Path(f"/proc/{process}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / BYTES_PER_GB
