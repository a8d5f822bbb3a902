"""Parameters of the workers, in a module of their own because Dask loads slowly."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from muscle_study.protocol.sections import Count, Positive, Section


class ClusterParameters(Section):
    """Workers that process the participants; no result depends on them.

    Training runs where `make` does.
    """

    kind: Literal["local", "address", "slurm"] = Field(
        description="Workers: processes of this machine, a running Dask scheduler, or SLURM jobs"
    )
    workers: Count = Field(description="Worker processes, each with one participant at a time")
    threads: Count = Field(description="Threads that a worker's libraries may use")
    gpus: int = Field(
        ge=0,
        description="GPUs for inference. `local`: number of GPUs, from `CUDA_VISIBLE_DEVICES` if "
        "set; one per worker, which limits the workers; 0: CPU only. `slurm`: above 0, each job "
        "offers its GPU as the Dask resource `GPU`, which inference requests. `address`: above 0, "
        "inference uses only workers with that resource (`dask worker --resources "
        '"GPU=1"`). In both, 0: each worker uses the devices it finds',
    )
    time_limit_minutes: Positive = Field(
        description="Time limit per participant, minutes; beyond it the participant is excluded"
    )
    memory_limit_gb: Positive | None = Field(
        description="Memory limit of a worker process, GB (10⁹ bytes); a participant who needs "
        "more is excluded; `null`: no limit"
    )
    retries: int = Field(
        ge=0,
        description="Further attempts after a failure that may be transient (files, time, memory, "
        "a lost worker); at most one after an unexpected error",
    )
    address: str | None = Field(
        default=None, description="Address of the Dask scheduler, such as `tcp://host:8786`"
    )
    slurm: dict[str, Any] = Field(
        default_factory=dict, description="Keywords of `dask_jobqueue.SLURMCluster`"
    )

    @model_validator(mode="after")
    def _where(self) -> Self:
        if self.kind == "address" and not self.address:
            raise ValueError(
                "kind is address, so address must name the scheduler, such as tcp://host:8786"
            )
        return self
