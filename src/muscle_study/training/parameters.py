"""Parameters of training, and of the learning curve."""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, Field

from muscle_study.networks.parameters import NetworksParameters, Precision
from muscle_study.protocol.sections import Count, NotNegative, Rising, Section, Share

Transform = Literal["flip", "affine", "elastic", "bias_field", "gamma", "noise", "motion"]


def _drop_absent(probabilities: object) -> object:
    """Drop transforms set to null, which remove those of the base file."""
    if not isinstance(probabilities, Mapping):
        return probabilities
    known = {name: probabilities.get(name) for name in get_args(Transform)}
    return {name: p for name, p in (known | probabilities).items() if p is not None}


class TrainingParameters(NetworksParameters):
    """Two networks, one to locate the muscles and one to outline them, and their training.

    On one device the notebook trains. On several devices of one node it starts one process per
    device. On several nodes the scheduler starts them: after curation, run in a job with one task
    per device

        srun python -m muscle_study train --run nako

    with the same `--set` as `make` (`torchrun` works too), and then `make`, which uses the finished
    networks. All nodes must share the folders. Each process takes `batch_size` patches per step,
    so two processes need half as many steps.
    """

    model_config = ConfigDict(extra="forbid")

    learn_from: Literal["curated", "randomised"] = Field(
        description="Training images: the participants' curated ones, or synthetic ones of random "
        "contrast (`cohort.randomised`), which have one channel, `image`"
    )
    folds: Count = Field(
        description="Number of segmenters; 1: validated on the validation split; more: "
        "cross-validation folds, whose predictions inference averages"
    )
    start_from: str | None = Field(
        description="Folder of a model with the initial weights, absolute or relative to the "
        "repository; same features, strides and number of channels; `null`: random weights"
    )
    pretrained: str | None = Field(
        description="Folder of a finished model, absolute or relative to the repository, used "
        "without training; `curation.test_fraction` may then be 1; `null`: train"
    )
    loader_workers: int = Field(
        ge=0, description="Processes that draw and augment patches during training"
    )
    weight_decay: NotNegative = Field(description="Weight decay of the optimiser (AdamW)")
    augmentation: Annotated[dict[Transform, Share], BeforeValidator(_drop_absent)] = Field(
        description="Probability of each random transform of a patch; `null` removes a transform "
        "of the base file"
    )
    accelerator: Literal["auto", "cpu", "gpu"] = Field(
        description="Device; `auto`: a GPU if there is one"
    )
    devices: Count | Literal["auto"] = Field(
        description="Devices per node, each with its own batches"
    )
    nodes: Count = Field(description="Number of nodes; above 1, start them by hand, see above")
    strategy: str = Field(description="Lightning's strategy for several devices: `auto`, `ddp`, …")
    precision: Precision = Field(
        description="Floating-point format of computation; `auto`: the fastest of the device. "
        "Weights are kept in 32 bits"
    )
    seed: int = Field(description="Seed of weights, patches and transforms")


class LearningCurveParameters(Section):
    """Trainings with fewer participants, scored on the test split (`make learning-curve`)."""

    sizes: Annotated[list[Count], Rising] = Field(
        min_length=1,
        description="Number of training participants of each point, below that of the training "
        "split, which the run's own model adds as last point",
    )
