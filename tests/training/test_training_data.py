"""Position and reproducibility of patches."""

import shutil

import numpy as np
import pytest
import torch

from example_tables import write_example
from muscle_study.imaging.volumes import Volume, save
from muscle_study.networks.classes import CLASSES
from muscle_study.networks.preprocessing import intensity_range
from muscle_study.protocol.files import read_table
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.paths import image_file
from muscle_study.training.augmentation import augmentation, mirror_sides
from muscle_study.training.cache import CachedVolume, VolumeCache
from muscle_study.training.data import AnnotatedParticipants, Numbers, Patches, Volumes, crop


@pytest.fixture
def volume():
    label = np.zeros((20, 16, 12), np.uint8)
    label[2, 3, 4] = Label.PSOAS_LEFT
    label[17:, 12:, 9:] = Label.GLUTEUS_RIGHT
    image = np.arange(label.size, dtype=np.float32).reshape(1, *label.shape)
    return CachedVolume(image, label, [np.argwhere(label == value) for value in np.unique(label)])


def test_patches_hold_each_label_about_equally_often(volume):
    rng = np.random.default_rng(0)
    held = [np.isin((1, 4), crop(volume, (6, 6, 6), rng)[1]) for _ in range(600)]
    # a third is centred on each label, background meets them now and then as well
    assert (np.mean(held, axis=0) > 0.28).all()


def test_a_patch_larger_than_the_volume_is_filled_up(volume):
    image, label = crop(volume, (24, 16, 8), np.random.default_rng(1))
    assert image.shape == (1, 24, 16, 8) and label.shape == (24, 16, 8)
    assert not image[:, 20:].any() and not label[20:].any()
    assert (image[0, :20].ravel()[1:] > 0).all()


def test_image_and_label_are_of_one_place(volume):
    image, label = crop(volume, (8, 8, 8), np.random.default_rng(2))
    flat = image[0].astype(int)
    np.testing.assert_array_equal(volume.label.ravel()[flat], label)


def test_the_same_number_gives_the_same_patch_whatever_came_before(volume):
    def patches():
        transform = augmentation({"flip": 0.5, "noise": 0.9, "affine": 0.9})
        return Patches([volume], (8, 8, 8), (4.0, 4.0, 4.0), transform, 3, CLASSES["localiser"])

    one, other = patches(), patches()
    assert not torch.equal(one[6]["image"], one[5]["image"])
    torch.manual_seed(99)
    assert torch.equal(one[5]["image"], other[5]["image"])
    assert torch.equal(one[5]["label"], other[5]["label"])


def test_validation_sees_what_inference_will_see(volume):
    whole = Volumes([volume], CLASSES["localiser"])[0]
    assert whole["image"].shape == (1, 20, 16, 12) and whole["label"].shape == (1, 20, 16, 12)
    nothing = volume._replace(label=np.zeros_like(volume.label))
    assert Volumes([nothing], CLASSES["segmenter"], (1, 1, 1))[0]["image"].shape == (1, 20, 16, 12)

    boxed = Volumes([volume], CLASSES["segmenter"], (1, 2, 9))[0]
    # the muscles reach from 2, 3, 4 to the last voxel
    assert boxed["image"].shape == (1, 19, 15, 12)
    assert boxed["image"][0, 0, 0, 0] == volume.image[0, 1, 1, 0]
    assert boxed["label"][0, 1, 2, 4] == 1 and boxed["label"][0, -1, -1, -1] == 2


def test_a_flip_exchanges_sides_and_no_muscles(volume):
    """The last voxels along x are right gluteus, whichever side the flip says it is."""
    found = {}
    for name, classes in CLASSES.items():
        flipped = Patches([volume], volume.label.shape, (4.0, 4.0, 4.0), mirror_sides(), 3, classes)
        label = flipped[0]["label"][0]
        found[name] = (label[:3, 12:, 9:].unique().tolist(), label.unique().tolist())
    assert found == {
        "localiser": ([Label.GLUTEUS_LEFT], [0, Label.PSOAS_RIGHT, Label.GLUTEUS_LEFT]),
        "segmenter": ([2], [0, 1, 2]),
    }


def test_numbers_go_on_from_epoch_to_epoch_and_serve_every_volume_alike():
    numbers = Numbers(volumes=3, per_volume=4, seed=1)
    first = list(numbers)
    numbers.set_epoch(1)
    second = list(numbers)
    assert sorted(first) == list(range(12)) and sorted(second) == list(range(12, 24))
    assert [number - 12 for number in second] != first
    assert np.bincount(np.mod(second, 3)).tolist() == [4, 4, 4]


def test_processes_that_train_together_share_the_numbers_of_an_epoch():
    alone = Numbers(volumes=3, per_volume=3, seed=1)
    parts = [Numbers(volumes=3, per_volume=3, seed=1, rank=rank, ranks=2) for rank in range(2)]
    for numbers in (alone, *parts):
        numbers.set_epoch(2)
    drawn = [list(part) for part in parts]
    assert [len(part) for part in parts] == [len(of_part) for of_part in drawn] == [4, 4]
    assert [number for pair in zip(*drawn, strict=True) for number in pair] == list(alone)[:8]


def test_cache_is_made_once_for_the_same_files(tmp_path):
    rng = np.random.default_rng(0)
    images = tmp_path / "images"
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    save(
        Volume(rng.integers(0, 99, (10, 10, 10)).astype(np.int16), affine),
        image_file(images, "water"),
    )
    labels = np.zeros((10, 10, 10), np.uint8)
    labels[4:6] = Label.PSOAS_LEFT
    label = tmp_path / "label.nii.gz"
    save(Volume(labels, affine), label)
    cache = VolumeCache(tmp_path / "cache", ["water"], [2.0, 2.0, 2.0])
    cache.add("a", images, label)
    opened = cache.open("a")
    assert isinstance(opened.image, np.memmap) and opened.image.dtype == np.float16
    assert opened.image.min() >= 0 and opened.image.max() == 1
    np.testing.assert_array_equal(opened.label, labels)
    assert [len(places) for places in opened.places] == [800, 200]
    assert (opened.label[tuple(opened.places[1].T)] == Label.PSOAS_LEFT).all()

    file = tmp_path / "cache" / "a.image.npy"
    before = file.stat().st_mtime_ns
    cache.add("a", images, label)
    assert file.stat().st_mtime_ns == before
    save(Volume(labels.astype(np.int16), affine), image_file(images, "water"))
    cache.add("a", images, label)
    assert file.stat().st_mtime_ns != before


def test_intensities_do_not_depend_on_a_few_bright_voxels():
    image = np.linspace(0, 100, 40**3).reshape(40, 40, 40)
    image[::14, ::14, ::14] = 1e6
    low, high = intensity_range(image)
    assert (low, high) == (pytest.approx(0.5, abs=0.3), pytest.approx(99.5, abs=2.5))


@pytest.fixture
def hashed(paths, parameters):
    """Return what hashes the data that the segmenter learns from."""

    def of(**changes):
        changed = parameters.model_copy(update=changes)
        return AnnotatedParticipants(paths, changed, "segmenter").sha256()

    return of


def exchange_splits(paths):
    """Let a training and a validation participant change places: the same people in all."""
    table = paths.curated / "participants.csv"
    rows = read_table(table)
    moved = {"b": "validation", "c": "train"}
    rows["split"] = rows["participant_id"].map(moved).fillna(rows["split"])
    write_example(rows, table)


@pytest.mark.parametrize(
    ("file", "matters"),
    [
        ("images/a/water.nii", True),  # such as another spacing, or a corrected swap
        ("labels/c.nii.gz", True),
        ("images/d/water.nii", False),  # of the test split
        ("images/a/in_phase.nii", False),  # no channel
    ],
)
def test_the_hash_of_the_data_is_of_the_files_that_are_read(paths, hashed, file, matters):
    before, table = hashed(), paths.curated / "files.csv"
    rows = read_table(table)
    write_example(rows.assign(sha256=rows["sha256"].mask(rows["file"] == file, "other")), table)
    assert (hashed() != before) is matters


def test_the_hash_of_the_data_is_of_the_split_and_the_fold(paths, parameters, hashed):
    before = hashed()
    parameters = parameters.model_copy(update={"folds": 3})
    folds = [AnnotatedParticipants(paths, parameters, "segmenter", fold) for fold in range(3)]
    assert len({data.sha256() for data in folds}) == 3
    exchange_splits(paths)
    assert hashed() != before


def test_the_hash_of_images_of_random_contrast_is_of_the_split_too(paths, hashed):
    for who in "abc":
        made = paths.raw / "randomised" / who / "0"
        shutil.copytree(paths.curated / "images" / who, made)
        shutil.copy(paths.curated / "labels" / f"{who}.nii.gz", made / "label.nii.gz")
    before = hashed(learn_from="randomised")
    exchange_splits(paths)
    exchanged = hashed(learn_from="randomised")
    assert exchanged != before
    shutil.copy(made / "water.nii", made / "fat.nii")
    assert hashed(learn_from="randomised") != exchanged
