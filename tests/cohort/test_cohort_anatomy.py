"""Bodies have the muscles that were drawn for them."""

import numpy as np
import pytest

from muscle_study.cohort.anatomy import FIELD_OF_VIEW_MM, build_body, union_volume_mm3
from muscle_study.cohort.export import true_measures
from muscle_study.cohort.imaging import scan
from muscle_study.cohort.parameters import CohortParameters
from muscle_study.labels import STRUCTURES, Label
from muscle_study.volumes import to_ras

BODIES = {
    "slim woman": (
        {"sex": "female", "age_years": 25, "height_cm": 158.0, "bmi_kg_m2": 18.0},
        {"psoas_csa_left_cm2": 9.0, "psoas_csa_right_cm2": 9.5,
         "gluteus_volume_left_ml": 800.0, "gluteus_volume_right_ml": 820.0},
    ),
    "heavy man": (
        {"sex": "male", "age_years": 60, "height_cm": 195.0, "bmi_kg_m2": 40.0},
        {"psoas_csa_left_cm2": 27.0, "psoas_csa_right_cm2": 26.0,
         "gluteus_volume_left_ml": 2500.0, "gluteus_volume_right_ml": 2400.0},
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=BODIES)
def drawn(request):
    participant, muscles = BODIES[request.param]
    return muscles, build_body(participant, muscles, np.random.default_rng(3))


def test_truth_is_what_was_drawn(drawn):
    muscles, body = drawn
    truth = true_measures(body)
    for side in ("left", "right"):
        psoas, gluteus = f"psoas_csa_{side}_cm2", f"gluteus_volume_{side}_ml"
        assert truth[psoas] == pytest.approx(muscles[psoas], rel=1e-6)
        assert truth[gluteus] == pytest.approx(muscles[gluteus], rel=0.003)


def test_gluteus_truth_does_not_depend_on_the_pitch(drawn):
    """The stated error of the summed union: below 0.1 % against a quarter of the pitch."""
    _, body = drawn
    parts = body.muscles[Label.GLUTEUS_RIGHT]
    fine = union_volume_mm3(parts, pitch_mm=(0.75, 0.75, 1.0))
    assert union_volume_mm3(parts) == pytest.approx(fine, rel=0.001)


def test_muscles_lie_inside_the_field_of_view(drawn):
    _, body = drawn
    low, high = FIELD_OF_VIEW_MM[2]
    for parts in body.muscles.values():
        for part in parts:
            assert low < part.z_range_mm[0] < part.z_range_mm[1] < high


def test_scan_shows_the_true_muscles_on_the_true_sides(drawn):
    _, body = drawn
    parameters = CohortParameters(
        n_participants=4, n_annotated=3, spacing_mm=[4.0, 4.0, 5.0], supersampling=[2, 2, 2],
        noise_sd=0.02, bias_amplitude=0.1, fault_share=0.0, seed=1,
    )  # fmt: skip
    fat = dict.fromkeys(STRUCTURES, 0.1)
    images = scan(body, fat, parameters, np.random.default_rng(5))
    assert images.labels.orientation == "LPS"
    labels = to_ras(images.labels)
    truth = true_measures(body)
    for muscle, side, label in (
        ("psoas", "left", Label.PSOAS_LEFT),
        ("psoas", "right", Label.PSOAS_RIGHT),
        ("gluteus", "left", Label.GLUTEUS_LEFT),
        ("gluteus", "right", Label.GLUTEUS_RIGHT),
    ):
        inside = labels.data == label
        # voxelisation on 4 x 4 x 5 mm
        assert inside.sum() * labels.voxel_ml == pytest.approx(
            truth[f"{muscle}_volume_{side}_ml"], rel=0.02
        )
        centre_x = np.argwhere(inside).mean(0) @ labels.affine[0, :3] + labels.affine[0, 3]
        assert (centre_x > 0) == (side == "right")
        assert images.fat_fraction[label] == pytest.approx(0.1, rel=0.1)


def test_echoes_are_sum_and_difference_of_water_and_fat(drawn):
    _, body = drawn
    parameters = CohortParameters(
        n_participants=4, n_annotated=3, spacing_mm=[7.0, 7.0, 10.0], supersampling=[1, 1, 1],
        noise_sd=0.0, bias_amplitude=0.2, fault_share=0.0, seed=1,
    )  # fmt: skip
    images = scan(body, dict.fromkeys(STRUCTURES, 0.1), parameters, np.random.default_rng(5))
    water, fat, in_phase, opposed = (
        images.contrasts[name].data.astype(int)
        for name in ("water", "fat", "in_phase", "opposed_phase")
    )
    # each is rounded to an integer by itself
    assert abs(in_phase - (water + fat)).max() <= 1
    assert abs(opposed - abs(water - fat)).max() <= 1
    assert in_phase.max() > 100
