"""Parameters of training, and of the learning curve."""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, Field

from muscle_study.networks.parameters import NetworksParameters, Precision
from muscle_study.protocol.sections import Count, NotNegative, Rising, Section, Share

Transform = Literal["flip", "affine", "elastic", "bias_field", "gamma", "noise", "motion"]


def _drop_absent(probabilities: object) -> object:
    """Drop transforms of null, by which a file removes one that its base file has."""
    if not isinstance(probabilities, Mapping):
        return probabilities
    known = {name: probabilities.get(name) for name in get_args(Transform)}
    return {name: p for name, p in (known | probabilities).items() if p is not None}


class TrainingParameters(NetworksParameters):
    """Two networks, one to locate the muscles and one to outline them, and their training.

    On one device the notebook itself trains. On several devices of one node it starts a process
    for each. On several nodes the scheduler must: run, after curation and in a job with one task
    per device,

        srun python -m muscle_study train --run nako

    with the `--set` that `make` gets (`torchrun` works too), and then `make`, which finds the
    networks finished. All nodes must see the same folders. Each process takes `batch_size` patches
    per step, so that two take half as many steps.
    """

    model_config = ConfigDict(extra="forbid")

    learn_from: Literal["curated", "randomised"] = Field(
        description="Training images: the participants' curated ones, or synthetic ones of random "
        "contrast (`cohort.randomised`), which have one channel, `image`"
    )
    folds: Count = Field(
        description="Segmenters trained; 1: on the split's own validation participants, more: "
        "each validates on another fold, and inference averages them"
    )
    start_from: str | None = Field(
        description="Folder of a model whose weights training starts from, absolute or relative "
        "to the repository, with the same features, strides and number of channels; `null`: from "
        "scratch"
    )
    pretrained: str | None = Field(
        description="Folder of a finished model, absolute or relative to the repository, used as "
        "it is: nothing is trained, and `curation.test_fraction` may be 1; `null`: train"
    )
    loader_workers: int = Field(
        ge=0, description="Processes that draw and augment patches beside the training"
    )
    weight_decay: NotNegative = Field(description="Weight decay of the optimiser (AdamW)")
    augmentation: Annotated[dict[Transform, Share], BeforeValidator(_drop_absent)] = Field(
        description="Probability of each random transform of a patch; `null` removes one that "
        "the base file has"
    )
    accelerator: Literal["auto", "cpu", "gpu"] = Field(
        description="Device; `auto`: a GPU where there is one"
    )
    devices: Count | Literal["auto"] = Field(
        description="Devices per node; each takes batches of its own"
    )
    nodes: Count = Field(
        description="Machines that train together; above 1 they are started by hand, see above"
    )
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
        description="Training participants of each training, fewer than the training split has; "
        "the run's own model is the last point",
    )
