"""A trained model on disk: weights as safetensors, and a card that says how to use them."""

from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from safetensors.torch import load_file, save_file

from muscle_study.files import read_json, whole_file, write_json
from muscle_study.labels import Label
from muscle_study.training.network import build_network


class ModelCard(BaseModel):
    """What a user of the weights must know."""

    model_config = ConfigDict(extra="forbid")

    channels: list[str] = Field(description="images, in the network's order")
    spacing_mm: list[float] = Field(description="the network's grid")
    patch_size: list[int] = Field(description="voxels; the network was trained on this size")
    features: list[int] = Field(description="channels of the network's levels")
    labels: dict[str, int] = Field(default={label.name.lower(): int(label) for label in Label})
    orientation: Literal["RAS"] = "RAS"
    normalisation: str
    synthetic: bool = Field(description="trained on the synthetic cohort")
    training_participants: int
    validation_participants: int
    data_sha256: str = Field(description="of the images and labels used")
    parameters: dict = Field(description="all parameters of training")
    best_epoch: int
    validation_dice: float
    trainable_parameters: int


def save_model(network: torch.nn.Module, card: ModelCard, folder: Path) -> None:
    """Write ``weights.safetensors``, then ``card.json``."""
    state = {name: weights.contiguous().cpu() for name, weights in network.state_dict().items()}
    with whole_file(folder / "weights.safetensors") as beside:
        save_file(state, beside)
    write_json(card.model_dump(), folder / "card.json")


def load_model(folder: Path) -> tuple[torch.nn.Module, ModelCard]:
    """Read a model; it comes back in evaluation mode.

    Raises
    ------
    FileNotFoundError
        If the folder holds no model, saying how to make one.
    """
    for name in ("card.json", "weights.safetensors"):
        if not (folder / name).exists():
            raise FileNotFoundError(f"{folder / name} is missing: run notebooks/02_training first")
    card = ModelCard.model_validate(read_json(folder / "card.json"))
    network = build_network(len(card.channels), card.features)
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    return network.eval(), card
