"""Each score responds to its artefact, and flags follow the thresholds."""

import numpy as np
import pytest

from muscle_study.curation.checks.body import Body, thinned
from muscle_study.curation.checks.orientation import check_orientation
from muscle_study.curation.checks.quality import edge_blur, quality_table, scores, void_ml
from muscle_study.curation.checks.quality_parameters import QualityParameters
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.exclusions import Excluded
from muscle_study.protocol.findings import Flag

#: RAS, 3 x 3 x 9 mm: thinning takes every voxel.
AFFINE = np.diag([3.0, 3.0, 9.0, 1.0])
SHAPE = (120, 90, 48)
BODY = np.s_[25:95, 20:75]


def noisy(signal, sd=0.03, seed=0):
    """Return the magnitude of a signal with noise, relative to a body of 300."""
    rng = np.random.default_rng(seed)
    real, imaginary = 300 * sd * rng.standard_normal((2, *signal.shape))
    return np.hypot(signal + real, imaginary).astype(np.float32)


@pytest.fixture
def trunk():
    """A box of signal in air."""
    signal = np.zeros(SHAPE)
    signal[BODY] = 300
    return signal


def body_of(data):
    return Body.of({"in_phase": Volume(data, AFFINE)})


def score_of(data, name):
    return scores({"in_phase": Volume(data, AFFINE)})[name]


@pytest.mark.parametrize("sd", [0.02, 0.05])
def test_noise_is_its_standard_deviation(trunk, sd):
    assert score_of(noisy(trunk, sd), "noise") == pytest.approx(sd, rel=0.05)


def test_air_without_noise_has_no_noise_score(trunk):
    assert score_of(trunk, "noise") is None


def test_ghosts_are_what_air_before_the_body_holds_beyond_noise(trunk):
    assert score_of(noisy(trunk), "ghosting") == pytest.approx(0, abs=0.003)
    ghosted = trunk.copy()
    ghosted[25:95, 78:, 24:] += 30  # a tenth of the body, before half of the slices
    # on one of the two sides
    assert 0.02 < score_of(noisy(ghosted), "ghosting") < 0.06


def test_a_body_that_moves_has_a_blurred_edge_along_the_phase_alone(trunk):
    sharp, twice = noisy(trunk), trunk / 2 + np.roll(trunk, 5, axis=1) / 2
    sideways = trunk / 2 + np.roll(trunk, 5, axis=0) / 2
    assert edge_blur(body_of(sharp)) < 0.15
    assert edge_blur(body_of(noisy(twice))) > 0.35
    assert edge_blur(body_of(noisy(sideways))) < 0.15


@pytest.mark.parametrize(
    ("place", "counts"),
    [
        (np.s_[58:62, 28:36, 20:28], True),  # behind, at the spine
        (np.s_[85:90, 45:50, 5:13], True),  # a hip, low
        (np.s_[85:90, 45:50, 30:38], False),  # beside, high: colon
        (np.s_[58:62, 60:68, 20:28], False),  # before: bowel
    ],
    ids=["spine", "hip", "colon", "bowel"],
)
def test_voids_count_where_no_bowel_lies(trunk, place, counts):
    trunk[place] = 0
    voxels = np.zeros(SHAPE, bool)
    voxels[place] = True
    expected = voxels.sum() * 81 / 1000 if counts else 0
    assert void_ml(body_of(noisy(trunk, 0.01))) == pytest.approx(expected, rel=0.15)


def test_a_bright_spot_is_an_outlying_intensity(trunk):
    assert score_of(noisy(trunk), "intensity") < 1.2
    trunk[50:60, 40:50, 10:20] = 3000
    assert score_of(noisy(trunk), "intensity") == pytest.approx(10, rel=0.05)


def test_thinning_keeps_voxels_and_their_places():
    data = np.arange(12 * 10 * 8).reshape(12, 10, 8)
    volume = Volume(data, np.diag([1.4, 1.4, 3.0, 1.0]))
    thin = thinned(volume)
    assert thin.spacing_mm == pytest.approx([2.8, 2.8, 9.0])
    corner = np.linalg.inv(volume.affine) @ thin.affine[:, 3]
    assert thin.data[0, 0, 0] == data[tuple(np.rint(corner[:3]).astype(int))]
    assert thinned(Volume(data[:1, :1, :1], volume.affine)).data.shape == (1, 1, 1)


def thresholds(**limits):
    return QualityParameters(**dict.fromkeys(QualityParameters.model_fields) | limits)


def test_flags_follow_the_thresholds_and_null_flags_nobody():
    extent = {"extent_x_mm": 450.0, "extent_y_mm": 360.0, "extent_z_mm": 480.0}
    scored = {
        "100001": {"noise": 0.02, "motion": 0.3, **extent},
        "100002": {"noise": 0.07, "motion": 0.6, **extent},
        "100003": {"noise": None, "motion": 0.3, **extent, "extent_z_mm": 400.0},
    }
    limits = thresholds(most_noise=0.06, most_motion=0.5, least_extent_share=0.95)
    table = quality_table(scored, limits)
    assert table["flags"].tolist() == ["", "noise; motion", "small_field_of_view"]
    assert table["flagged"].tolist() == [False, True, True]
    assert not quality_table(scored, thresholds())["flagged"].any()
    assert not quality_table(scored, thresholds(most_motion=0.6))["flagged"].any()
    assert quality_table({}, limits).empty
    assert set(Flag) >= set("; ".join(table["flags"][1:]).split("; "))


@pytest.fixture
def person():
    """Water and fat of a body with legs below and a liver on the right (high x)."""
    water, fat = np.zeros((2, *SHAPE), np.float32)
    water[BODY] = 100
    fat[BODY] = 20
    water[65:85, 30:65, 38:] = 400
    for image in (water, fat):
        image[55:65, :, :8] = 0
    return water, fat


@pytest.mark.parametrize(
    ("turned", "problem"),
    [
        (np.s_[:], None),
        (np.s_[::-1], "left and right"),
        (np.s_[:, :, ::-1], "head and feet"),
    ],
    ids=["upright", "mirrored", "upside down"],
)
def test_anatomy_that_contradicts_the_affine_is_refused(person, turned, problem):
    images = {
        name: Volume(np.ascontiguousarray(data[turned]), AFFINE)
        for name, data in zip(("water", "fat"), person, strict=True)
    }
    if problem is None:
        check_orientation(images)
        return
    with pytest.raises(Excluded, match=f"wrong_orientation: {problem}"):
        check_orientation(images)


def test_a_low_field_of_view_tells_nothing_of_orientation(person):
    images = {
        name: Volume(np.ascontiguousarray(data[::-1, :, 10:]), AFFINE)
        for name, data in zip(("water", "fat"), person, strict=True)
    }
    check_orientation(images)
