import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from muscle_study.imaging.volumes import Volume, save
from muscle_study.measurement.quality import (
    QualityTask,
    compare,
    overlap_and_distances,
    predicted_dice,
    relative_errors,
    score,
)
from muscle_study.protocol.exclusions import Excluded
from muscle_study.protocol.muscles import Label

SPACING_MM = np.array([1.0, 2.0, 4.0])


def cube(shift=(0, 0, 0), edge=6) -> np.ndarray:
    mask = np.zeros((16, 16, 16), bool)
    mask[tuple(slice(4 + step, 4 + step + edge) for step in shift)] = True
    return mask


def test_a_mask_agrees_with_itself():
    assert overlap_and_distances(cube(), cube(), SPACING_MM) == (1, 0, 0)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("steps", [1, 3])
def test_a_shifted_cube_overlaps_by_what_is_left(axis, steps):
    shift = np.eye(3, dtype=int)[axis] * steps
    dice, hausdorff95_mm, _ = overlap_and_distances(cube(shift), cube(), SPACING_MM)
    assert dice == pytest.approx((6 - steps) / 6)
    # the leading face, 36 of the surface's 152 voxels, is off by the whole shift
    assert hausdorff95_mm == pytest.approx(steps * SPACING_MM[axis])


def test_surface_distance_of_parallel_plates_is_their_gap():
    plates = np.zeros((2, 10, 10, 10), bool)
    plates[0, 2, :, :] = True
    plates[1, 5, :, :] = True
    scores = overlap_and_distances(*plates, np.array([1.5, 2.0, 4.0]))
    assert scores == pytest.approx((0, 3 * 1.5, 3 * 1.5))


def test_surface_distance_of_a_cube_shifted_by_one_voxel_by_hand():
    # A 3-cube has 26 surface voxels. Shifted by one along x, a surface voxel is off the other
    # surface where it is in the leading face (9) or the other's inside (1, one step from a face).
    scores = overlap_and_distances(cube((1, 0, 0), 3), cube(edge=3), np.ones(3))
    assert scores == pytest.approx((2 / 3, 1, 10 / 26))


def test_the_95_percent_distance_ignores_a_stray_voxel():
    found = cube()
    found[15, 4, 4] = True
    _, hausdorff95_mm, surface_distance_mm = overlap_and_distances(found, cube(), SPACING_MM)
    assert hausdorff95_mm == 0
    assert surface_distance_mm == pytest.approx(6.0 / (152 + 153))


def test_scores_are_those_of_monai():
    import torch
    from monai import metrics

    random = np.random.default_rng(3)
    found, true = (
        gaussian_filter(random.normal(size=(20, 18, 16)), 2) + offset > 0.02
        for offset in (0.0, 0.01)
    )
    masks = {"y_pred": torch.from_numpy(found)[None, None], "y": torch.from_numpy(true)[None, None]}
    masks["include_background"] = True
    spacing = {"spacing": SPACING_MM.tolist()}
    expected = (
        metrics.compute_dice(**masks).item(),
        metrics.compute_hausdorff_distance(**masks, **spacing, percentile=95).item(),
        metrics.compute_average_surface_distance(**masks, **spacing, symmetric=True).item(),
    )
    assert overlap_and_distances(found, true, SPACING_MM) == pytest.approx(expected, rel=1e-5)


def test_a_structure_in_one_map_only_scores_zero_and_one_in_none_nothing():
    reference = Volume(np.zeros((16, 16, 16), np.uint8), np.diag([*SPACING_MM, 1]))
    segmentation = Volume(reference.data.copy(), reference.affine)
    reference.data[cube()] = Label.PSOAS_LEFT
    segmentation.data[cube()] = Label.PSOAS_RIGHT
    reference.data[cube((0, 0, 6))] = segmentation.data[cube((0, 0, 6))] = Label.GLUTEUS_LEFT
    expected = [
        ("psoas_left", 0, np.nan, np.nan, -1, -1),
        ("psoas_right", 0, np.nan, np.nan, np.nan, np.nan),
        ("gluteus_left", 1, 0, 0, 0, 0),
        ("gluteus_right", np.nan, np.nan, np.nan, np.nan, np.nan),
    ]
    for row, values in zip(compare(segmentation, reference), expected, strict=True):
        assert row[0] == values[0]
        assert row[1:] == pytest.approx(values[1:], nan_ok=True)


def test_errors_of_a_cube_that_is_too_high_and_too_narrow():
    found, true = np.zeros((2, 10, 10, 10), bool)
    true[2:6, 2:6, 2:6] = True
    found[2:5, 2:6, 2:8] = True
    # 12 of 16 voxels in each section, in 6 sections instead of 4
    assert relative_errors(found, true) == pytest.approx((72 / 64 - 1, 12 / 16 - 1))


def test_predictions_are_read_from_the_records_of_inference():
    names = ["psoas_left", "psoas_right", "gluteus_left", "gluteus_right"]
    records = pd.DataFrame(
        {"participant_id": ["1", "2"]} | {f"predicted_dice_{name}": [0.5, 0.7] for name in names}
    )
    records.loc[1, "predicted_dice_gluteus_left"] = np.nan
    table = predicted_dice(records).reset_index().set_index(["participant_id", "structure"])
    assert table["predicted_dice"]["2", "psoas_right"] == 0.7
    assert np.isnan(table["predicted_dice"]["2", "gluteus_left"]) and len(table) == 8


def test_a_reference_on_another_grid_is_excluded(tmp_path):
    task = QualityTask(tmp_path / "found.nii.gz", tmp_path / "1.nii.gz")
    save(Volume(cube().astype(np.uint8), np.eye(4)), task.segmentation)
    save(Volume(cube().astype(np.uint8), np.diag([1, 1, 2, 1])), task.reference)
    with pytest.raises(Excluded, match=r"grid_mismatch: 1\.nii\.gz"):
        score(task)
