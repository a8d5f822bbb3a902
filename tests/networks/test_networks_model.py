"""Saved weights and card are restored."""

import pytest
import torch
from pydantic import ValidationError

from muscle_study.networks.model import (
    CPU,
    Learned,
    ModelCard,
    load_model,
    model_files,
    save_card,
    save_weights,
)
from muscle_study.networks.network import build_network, layout
from muscle_study.protocol.files import read_json, write_json


def learned(name: str) -> Learned:
    return Learned(
        weights=f"{name}.safetensors", training_participants=1, validation_participants=1,
        best_epoch=1, validation_dice=0.5, log_odds_shifts={}, trainable_parameters=1,
    )  # fmt: skip


@pytest.fixture
def card(parameters):
    return ModelCard(
        normalisation="", psoas="psoas major", synthetic=True, data_sha256="",
        parameters=parameters, localiser=learned("localiser"),
        segmenters=[learned("one"), learned("two")],
    )  # fmt: skip


@pytest.fixture
def networks(tmp_path, card):
    """Save a model; return its networks by name."""
    built = {
        name: build_network(2, classes, [4, 8, 8], [[2, 2, 2], [2, 2, 2]])
        .eval()
        .to(memory_format=layout(CPU))
        for name, classes in (("localiser", 5), ("one", 3), ("two", 3))
    }
    for name, network in built.items():
        save_weights(network, tmp_path / f"{name}.safetensors")
    save_card(card, tmp_path)
    return built


def test_saved_model_gives_the_same_output(tmp_path, card, networks):
    model = load_model(tmp_path)
    image = torch.rand(1, 2, 16, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(networks["localiser"](image), model.localiser(image))
        for name, loaded in zip(("one", "two"), model.segmenters, strict=True):
            assert torch.equal(networks[name](image), loaded(image))
            assert not loaded.training
    assert model.card.model_dump() == card.model_dump()


def test_heads_of_deep_supervision_are_not_saved(tmp_path, networks):
    trained = build_network(2, 3, [4, 8, 8], [[2, 2, 2], [2, 2, 2]], deep_supervision=1).eval()
    save_weights(trained, tmp_path / "two.safetensors")
    loaded = load_model(tmp_path).segmenters[1]
    image = torch.rand(1, 2, 16, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(trained(image), loaded(image))


def test_files_of_a_model_are_card_and_weights(tmp_path, networks):
    names = [path.name for path in model_files(tmp_path)]
    assert names == ["card.json", "localiser.safetensors", "one.safetensors", "two.safetensors"]


@pytest.mark.parametrize("lost", ["card.json", "two.safetensors"])
def test_missing_file_names_the_notebook(tmp_path, networks, lost):
    (tmp_path / lost).unlink()
    with pytest.raises(FileNotFoundError, match=f"{lost} is missing: run notebooks/02_training"):
        load_model(tmp_path)


def test_card_with_a_foreign_key_is_refused(tmp_path, networks):
    write_json({**read_json(tmp_path / "card.json"), "colour": "red"}, tmp_path / "card.json")
    with pytest.raises(ValidationError, match="colour"):
        load_model(tmp_path)


def test_weights_of_another_network_are_refused(tmp_path, networks):
    save_weights(torch.nn.Linear(2, 2), tmp_path / "two.safetensors")
    with pytest.raises(ValueError, match=r"two\.safetensors does not belong to"):
        load_model(tmp_path)
