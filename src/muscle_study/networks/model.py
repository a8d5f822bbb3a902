"""A trained model on disk: weights as safetensors and a card that describes them."""

from pathlib import Path
from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny
from safetensors.torch import load_file, save_file

from muscle_study.networks.classes import CLASSES
from muscle_study.networks.network import build_network, layout, learned_weights
from muscle_study.networks.parameters import NetworkParameters, NetworksParameters
from muscle_study.protocol.files import read_json, whole_file, write_json
from muscle_study.protocol.muscles import Label, Psoas

CARD = "card.json"

CPU = torch.device("cpu")


class Learned(BaseModel):
    """Result of training one network."""

    model_config = ConfigDict(extra="forbid")

    weights: str = Field(description="file beside the card")
    training_participants: int
    validation_participants: int
    best_epoch: int
    validation_dice: float
    log_odds_shifts: dict[str, float] = Field(
        description="shift of each class's logit by calibration on validation scans, included in "
        "the weights"
    )
    trainable_parameters: int


class ModelCard(BaseModel):
    """Description of a model for its users."""

    model_config = ConfigDict(extra="forbid")

    labels: dict[str, int] = Field(default={label.name.lower(): int(label) for label in Label})
    orientation: Literal["RAS"] = "RAS"
    normalisation: str
    psoas: Psoas = Field(description="what the label of the psoas holds")
    synthetic: bool = Field(description="trained on the synthetic cohort")
    data_sha256: str = Field(description="of the images and labels used")
    parameters: SerializeAsAny[NetworksParameters] = Field(description="all parameters of training")
    localiser: Learned = Field(description="the coarse network")
    segmenters: list[Learned] = Field(description="the fine networks, whose outputs are averaged")


class Model(NamedTuple):
    """Networks in evaluation mode, with their card."""

    localiser: torch.nn.Module
    segmenters: list[torch.nn.Module]
    card: ModelCard


def save_weights(network: torch.nn.Module, path: Path) -> None:
    """Write a network's weights as safetensors, each once."""
    learned = {name: w.detach().cpu().contiguous() for name, w in learned_weights(network).items()}
    with whole_file(path) as beside:
        save_file(learned, beside)


def save_card(card: ModelCard, folder: Path) -> None:
    """Write the card, after the weights: its presence means that the model is complete."""
    write_json(card.model_dump(), folder / CARD)


def read_card(folder: Path) -> ModelCard:
    """Read a model's card; FileNotFoundError says how to make a missing model."""
    return ModelCard.model_validate(read_json(_existing(folder / CARD)))


def model_files(folder: Path) -> list[Path]:
    """Return the card and the weights of a model."""
    card = read_card(folder)
    learned = [card.localiser, *card.segmenters]
    return [folder / CARD, *(_existing(folder / each.weights) for each in learned)]


def load_model(folder: Path, device: torch.device = CPU) -> Model:
    """Read a model onto a device.

    Raises
    ------
    FileNotFoundError
        If the folder holds no model, with the way to make one.
    ValueError
        If weights do not belong to the network on the card.
    """
    card = read_card(folder)
    trained = card.parameters

    def load(learned: Learned, name: str) -> torch.nn.Module:
        of: NetworkParameters = getattr(trained, name)
        network = build_network(len(trained.channels), CLASSES[name].count, of.features, of.strides)
        weights = load_file(_existing(folder / learned.weights))
        if weights.keys() != learned_weights(network).keys():
            raise ValueError(f"{folder / learned.weights} does not belong to {folder / CARD}")
        network.load_state_dict(weights, strict=False)  # the same weights by other names
        return network.eval().to(device, memory_format=layout(device))

    segmenters = [load(learned, "segmenter") for learned in card.segmenters]
    return Model(load(card.localiser, "localiser"), segmenters, card)


def _existing(path: Path) -> Path:
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run notebooks/02_training first")
    return path
