"""Parameters of where participants are worked on; apart from `cluster`, whose Dask loads slowly."""

from typing import Any, Literal

from pydantic import Field

from muscle_study.sections import Section


class ClusterParameters(Section):
    """Where participants are worked on. Has no influence on results."""

    kind: Literal["local", "address", "slurm"] = Field(description="where the workers are")
    workers: int = Field(ge=1, description="worker processes, a participant each at a time")
    threads: int = Field(ge=1, description="threads that a worker's libraries may use")
    address: str | None = Field(default=None, description="of a running Dask scheduler")
    slurm: dict[str, Any] = Field(
        default_factory=dict, description="keywords for dask_jobqueue.SLURMCluster"
    )
