"""Weights and card come back as they were saved."""

import pytest
import torch
from pydantic import ValidationError

from muscle_study.files import read_json, write_json
from muscle_study.training.model import ModelCard, load_model, save_model
from muscle_study.training.network import build_network


@pytest.fixture
def card():
    return ModelCard(
        channels=["water", "fat"], spacing_mm=[4, 4, 5], patch_size=[16, 16, 16], features=[4, 8],
        normalisation="", synthetic=True, training_participants=1, validation_participants=1,
        data_sha256="", parameters={}, best_epoch=1, validation_dice=0.5, trainable_parameters=1,
    )  # fmt: skip


def test_saved_model_gives_the_same_output(tmp_path, card):
    network = build_network(2, [4, 8]).eval()
    save_model(network, card, tmp_path)
    loaded, loaded_card = load_model(tmp_path)
    image = torch.rand(1, 2, 16, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(network(image), loaded(image))
    assert loaded_card == card
    assert not loaded.training


def test_missing_model_names_the_notebook(tmp_path):
    with pytest.raises(FileNotFoundError, match="run notebooks/02_training first"):
        load_model(tmp_path)


def test_card_with_a_foreign_key_is_refused(tmp_path, card):
    save_model(build_network(2, [4, 8]), card, tmp_path)
    write_json({**read_json(tmp_path / "card.json"), "colour": "red"}, tmp_path / "card.json")
    with pytest.raises(ValidationError, match="colour"):
        load_model(tmp_path)
