"""Parameters of where participants are worked on; apart from `cluster`, whose Dask loads slowly."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from muscle_study.protocol.sections import Section


class ClusterParameters(Section):
    """Where participants are worked on. Has no influence on results."""

    kind: Literal["local", "address", "slurm"] = Field(description="where the workers are")
    workers: int = Field(ge=1, description="worker processes, a participant each at a time")
    threads: int = Field(ge=1, description="threads that a worker's libraries may use")
    gpus: int = Field(ge=0, description="for inference, one a worker; 0: none (kind local)")
    time_limit_minutes: float = Field(gt=0, description="for one participant")
    memory_limit_gb: float | None = Field(gt=0, description="of a worker's process")
    retries: int = Field(ge=0, description="further attempts where a failure may pass")
    address: str | None = Field(default=None, description="of a running Dask scheduler")
    slurm: dict[str, Any] = Field(
        default_factory=dict, description="keywords for dask_jobqueue.SLURMCluster"
    )

    @model_validator(mode="after")
    def _where(self) -> Self:
        if self.kind == "address" and not self.address:
            raise ValueError(
                "kind is address, so address must name the scheduler, such as tcp://host:8786"
            )
        return self
