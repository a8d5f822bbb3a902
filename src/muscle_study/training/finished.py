"""Record of a finished network, which is not trained again."""

import shutil
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from muscle_study.networks.model import Learned
from muscle_study.protocol.files import read_json, sha256, write_json

FINISHED = "finished.json"


class Finished(BaseModel):
    """A network that is trained, calibrated and saved."""

    model_config = ConfigDict(extra="forbid")

    learned: Learned
    history: list[dict[str, int | float]] = Field(description="measurements, one row per epoch")
    waiting_share: float | None = Field(description="share of step time; null without steps")
    weights_sha256: str


def read_finished(place: Path, model: Path) -> Finished | None:
    """Return the record of a training that has ended and whose weights are in the model.

    Parameters
    ----------
    place
        Folder of the training's checkpoints.
    model
        Folder of the model.
    """
    path = place / FINISHED
    if not path.exists():
        return None
    finished = Finished.model_validate(read_json(path))
    weights = model / finished.learned.weights
    same = weights.exists() and sha256(weights) == finished.weights_sha256
    return finished if same else None


def write_finished(finished: Finished, place: Path) -> None:
    """Write the record of a training, and remove other trainings of the same network."""
    write_json(finished.model_dump(), place / FINISHED)
    for other in place.parent.iterdir():
        if other != place:
            shutil.rmtree(other) if other.is_dir() else other.unlink()
