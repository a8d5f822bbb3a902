"""Masks of other segmenters are joined to the study's structures on the participant's grid."""

import numpy as np
import pytest
from pydantic import ValidationError

from example_parameters import section
from muscle_study.imaging.volumes import Volume, save
from muscle_study.inference.masks import label_map, mask_files
from muscle_study.inference.parameters import MasksParameters
from muscle_study.inference.segmenters import SEGMENTERS
from muscle_study.protocol.exclusions import Excluded
from muscle_study.protocol.muscles import STRUCTURES, Label

OWN = Volume(np.zeros((20, 20, 20), np.uint8), np.diag([4.0, 4.0, 5.0, 1.0]))

#: Where each structure is on the participant's grid.
PLACES = {
    Label.PSOAS_LEFT: (slice(2, 6), slice(8, 14), slice(10, 18)),
    Label.PSOAS_RIGHT: (slice(12, 16), slice(8, 14), slice(10, 18)),
    Label.GLUTEUS_LEFT: (slice(2, 8), slice(2, 8), slice(2, 10)),
    Label.GLUTEUS_RIGHT: (slice(12, 18), slice(2, 8), slice(2, 10)),
}


@pytest.fixture
def truth():
    labels = OWN.data.copy()
    for label, place in PLACES.items():
        labels[place] = label
    return labels


def parameters(folder, file="{participant}/{structure}.nii.gz", segmenter="totalsegmentator"):
    return MasksParameters(segmenter=segmenter, folder=str(folder), file=file)


def split(truth, given):
    """Return a map of the segmenter's names to masks: parts of the gluteus share its voxels."""
    masks = {}
    for structure, names in given.label_table.items():
        mask = truth == Label[structure.upper()]
        rows = np.arange(truth.shape[1])[None, :, None] % len(names)
        masks |= {name: mask & (rows == i) for i, name in enumerate(names)}
    return masks


def write(truth, given, affine=OWN.affine, turn=lambda data: data):
    """Write a participant's masks in the form that the parameters describe."""
    masks = split(truth, given)
    numbers = {n: i for names in given.label_table.values() for n, i in names.items()}
    multi = sum(numbers[name] * mask.astype(np.uint8) for name, mask in masks.items())
    multi[0, 0, 0] = 5  # another structure
    for path in mask_files(given, "100001"):
        name = path.name.removesuffix(".nii.gz")
        data = masks[name].astype(np.uint8) if given.a_file_a_structure else multi
        save(Volume(np.ascontiguousarray(turn(data)), affine), path)


def read(given):
    return label_map(mask_files(given, "100001"), OWN, given.a_file_a_structure)


@pytest.mark.parametrize("segmenter", SEGMENTERS)
@pytest.mark.parametrize("file", ["{participant}/{structure}.nii.gz", "{participant}_seg.nii.gz"])
def test_structures_are_joined_from_either_form(tmp_path, truth, segmenter, file):
    given = parameters(tmp_path, file, segmenter)
    write(truth, given)
    labels = read(given)
    np.testing.assert_array_equal(labels.data, truth)
    assert labels.same_grid(OWN) and labels.data.dtype == np.uint8


@pytest.mark.parametrize("segmenter", SEGMENTERS)
def test_what_is_known_of_a_segmenter_is_whole(segmenter):
    known = SEGMENTERS[segmenter]
    numbers = [number for names in known.labels.values() for number in names.values()]
    assert list(known.labels) and len(set(numbers)) == 8 and known.psoas == "iliopsoas"
    assert {len(known.labels[f"gluteus_{side}"]) for side in ("left", "right")} == {3}
    for structure, names in known.labels.items():
        assert all(structure.split("_")[1] in name for name in names)


def test_numbers_as_published():
    numbers = {title: SEGMENTERS[title].labels for title in SEGMENTERS}
    assert numbers["totalsegmentator"]["psoas_right"] == {"iliopsoas_right": 49}
    assert numbers["vibesegmentator"]["gluteus_right"] == {
        "gluteus_maximus_right": 54, "gluteus_medius_right": 56, "gluteus_minimus_right": 58
    }  # fmt: skip
    assert numbers["mrsegmentator"]["psoas_left"] == {"left_iliopsoas_muscle": 33}


def test_orientation_and_grid_of_the_masks_do_not_matter(tmp_path, truth):
    given = parameters(tmp_path)
    # left to right turned round, axes in another order, voxels half as large
    fine = truth.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    affine = np.diag([2.0, 2.0, 2.5, 1.0])
    affine[:3, 3] = [-1.0, -1.0, -1.25]
    turned = affine[:, [2, 0, 1, 3]].copy()
    turned[:3, 3] = affine[:3, 3] + affine[:3, 0] * (fine.shape[0] - 1)
    turned[:3, 1] *= -1
    write(fine, given, turned, lambda data: data[::-1].transpose(2, 0, 1))
    np.testing.assert_array_equal(read(given).data, truth)


def test_a_missing_mask_is_named(tmp_path, truth):
    given = parameters(tmp_path)
    write(truth, given)
    (tmp_path / "100001" / "iliopsoas_left.nii.gz").unlink()
    with pytest.raises(Excluded, match=r"missing_mask: iliopsoas_left\.nii\.gz"):
        read(given)


def test_an_unreadable_mask_is_named(tmp_path, truth):
    given = parameters(tmp_path)
    write(truth, given)
    file = tmp_path / "100001" / "gluteus_minimus_right.nii.gz"
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(Excluded, match=r"unreadable_image: gluteus_minimus_right"):
        read(given)


def test_masks_of_another_scan_are_refused(tmp_path, truth):
    given = parameters(tmp_path)
    elsewhere = OWN.affine.copy()
    elsewhere[2, 3] = 60
    write(truth, given, elsewhere)
    with pytest.raises(Excluded, match=r"grid_mismatch: \d+ % of the masks, .* outside the images"):
        read(given)


def test_a_binary_mask_with_other_values_is_refused(tmp_path, truth):
    given = parameters(tmp_path)
    write(truth, given, turn=lambda data: data * 3)
    with pytest.raises(Excluded, match="unknown_label"):
        read(given)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"segmenter": "mine"}, "labels and psoas must be given for mine"),
        ({"file": "{structure}.nii.gz"}, r"must hold \{participant\}"),
        ({"file": "{participant}/{side}.nii.gz"}, "and no other"),
        ({"labels": {"psoas_left": {"psoas_l": 1}}}, "labels must say for each of"),
        (
            {"labels": {label.name.lower(): {"muscle": 1} for label in STRUCTURES},
             "file": "{participant}.nii.gz"},
            "needs a number of its own",
        ),
    ],
)  # fmt: skip
def test_parameters_that_cannot_be_used_are_told(changed, message):
    usual = {
        "segmenter": "totalsegmentator",
        "folder": "x",
        "file": "{participant}/{structure}.nii",
    }
    with pytest.raises(ValidationError, match=message):
        MasksParameters(**usual | changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"compare_with": "network"}, "compared with itself"),
        ({"compare_with": "masks"}, "say where they are"),
        ({"masks": parameters("x")}, "nothing uses them"),
    ],
)
def test_sources_that_do_not_agree_are_told(changed, message):
    with pytest.raises(ValidationError, match=message):
        section("inference", **changed)
