"""Publication of a check's results."""

import resource
import time
from typing import Any

from muscle_study.protocol.paths import RunPaths
from muscle_study.protocol.provenance import manifest_of, published_hashes, write_manifest
from muscle_study.publishing.result import Publisher, Result


def publish_check(
    name: str, result: Result, parameters: dict[str, Any], begun: float, paths: RunPaths
) -> None:
    """Publish the result of a check, with its manifest.

    Parameters
    ----------
    name
        Name of the check.
    result
        Table, figure and numbers for the manuscript.
    parameters
        Parameters of the check.
    begun
        Start of the check, as `time.monotonic` counts.
    paths
        The run.
    """
    Publisher(paths, name, show=False)(result)
    peak_mb = max(
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    outputs = published_hashes(name, paths)
    seconds = time.monotonic() - begun
    write_manifest(manifest_of(name, paths), name, parameters, {}, outputs, seconds, peak_mb)
