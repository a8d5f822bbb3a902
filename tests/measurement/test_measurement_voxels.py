import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muscle_study.imaging.volumes import Volume
from muscle_study.measurement.voxels import LabelledVoxels, axial_profile
from muscle_study.protocol.muscles import Label

LEFT, RIGHT = Label.PSOAS_LEFT, Label.PSOAS_RIGHT
RADII_MM = {LEFT: (20.0, 24.0, 45.0), RIGHT: (18.0, 22.0, 45.0)}
CENTRE_MM = {LEFT: (-30.0, 0.0, 0.0), RIGHT: (30.0, 0.0, 0.0)}

spacings = st.tuples(*[st.floats(1.5, 3.0)] * 3)
tilts = st.tuples(*[st.floats(-25, 25)] * 3)
axes = st.permutations([0, 1, 2])
flips = st.tuples(*[st.booleans()] * 3)
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_boxes_have_the_volume_that_one_counts(four_boxes):
    voxel_ml = 2 * 3 * 5 / 1000
    volume_ml = LabelledVoxels(four_boxes).volume_ml
    assert volume_ml[1:] == pytest.approx(np.array([18, 24, 18, 24]) * voxel_ml)


def test_boxes_have_the_cross_section_that_one_counts(four_boxes):
    profile = axial_profile(LabelledVoxels(four_boxes))
    assert profile.z_mm == pytest.approx([100, 105, 110, 115, 120, 125])
    pixel_cm2 = 2 * 3 / 100
    assert profile.csa_cm2[LEFT] == pytest.approx(np.array([0, 0, 4, 4, 6, 4]) * pixel_cm2)
    assert profile.maximum(LEFT) == pytest.approx((6 * pixel_cm2, 120))
    assert profile.extent(LEFT) == slice(2, 6)


def test_of_equal_slices_the_lowest_is_the_level(four_boxes):
    area, z_mm = axial_profile(LabelledVoxels(four_boxes)).maximum(RIGHT)
    assert (area, z_mm) == pytest.approx((6 * 0.06, 110))


def test_an_empty_map_has_no_cross_section():
    profile = axial_profile(LabelledVoxels(Volume(np.zeros((3, 3, 3), np.uint8), np.eye(4))))
    area, z_mm = profile.maximum(LEFT)
    assert area == 0
    assert np.isnan(z_mm)
    assert profile.extent(LEFT) == slice(0, 0)


def test_the_interior_has_eight_neighbours_of_its_own(four_boxes):
    voxels = LabelledVoxels(four_boxes)
    # the boxes of 2x2, 3x2 and 2x3 voxels have none, 3x3 has one a slice and 4x3 has two
    assert voxels.sums(voxels.interior).tolist() == [0, 0, 0, 2, 4]


def test_an_interior_by_hand():
    data = np.zeros((5, 5, 1), np.uint8)
    data[:, :3] = LEFT  # touches three edges of the field of view, which are not the muscle's
    data[2, 1] = RIGHT
    interior = np.zeros((5, 5), bool)
    interior[:, :2] = True
    interior[1:4] = False  # corners count: what lies diagonally shows through as well
    voxels = LabelledVoxels(Volume(data, np.eye(4)))
    inside = data[..., 0] == LEFT
    assert (voxels.interior[voxels.label == LEFT] == interior[inside]).all()
    image = Volume(np.full(data.shape, 7, np.int16), np.eye(4))
    assert voxels.interior_sums(image)[[LEFT, RIGHT]].tolist() == [7 * interior.sum(), 0]


@pytest.mark.parametrize(
    ("first", "border", "side"),
    [((1, 1, 0), True, False), ((0, 1, 1), True, True), ((1, 0, 1), True, True),
     ((0, 0, 0), True, True), ((1, 1, 1), False, False)],
)  # fmt: skip
def test_the_border_is_every_face_and_the_sides_all_but_the_ends(first, border, side):
    x, y, z = first
    data = np.zeros((6, 6, 8), np.uint8)
    data[x : x + 2, y : y + 2, z : z + 2] = LEFT
    for flipped in (data, data[::-1, ::-1, ::-1]):
        voxels = LabelledVoxels(Volume(np.ascontiguousarray(flipped), np.eye(4)))
        assert voxels.at_border(LEFT, RIGHT) is border
        assert voxels.at_side(LEFT, RIGHT) is side
        assert voxels.at_border(RIGHT) is False


@given(spacing_mm=spacings, tilt=tilts, axes=axes, flips=flips)
@quick
def test_no_affine_changes_volume_or_cross_section(
    empty_grid, ellipsoid, spacing_mm, tilt, axes, flips
):
    volume = empty_grid(spacing_mm, tilt, axes, flips)
    for label in (LEFT, RIGHT):
        ellipsoid(volume, label, CENTRE_MM[label], RADII_MM[label])
    voxels = LabelledVoxels(volume)
    profile = axial_profile(voxels)
    for label in (LEFT, RIGHT):
        a, b, c = RADII_MM[label]
        assert voxels.volume_ml[label] == pytest.approx(4 / 3 * np.pi * a * b * c / 1000, rel=0.03)
        area_cm2, z_mm = profile.maximum(label)
        assert area_cm2 == pytest.approx(np.pi * a * b / 100, rel=0.06)
        # near its top an ellipsoid is so flat that voxels decide which slab is the largest
        assert abs(z_mm) < 0.4 * c
    assert voxels.centroid_x_mm[LEFT] == pytest.approx(-30, abs=1)
    assert voxels.centroid_x_mm[RIGHT] == pytest.approx(30, abs=1)


@given(spacing_mm=spacings, tilt=tilts, axes=axes, flips=flips)
@quick
def test_areas_times_thickness_add_up_to_the_volume(
    empty_grid, ellipsoid, spacing_mm, tilt, axes, flips
):
    volume = empty_grid(spacing_mm, tilt, axes, flips)
    ellipsoid(volume, LEFT, (3, -4, 5), (20, 14, 30))
    voxels = LabelledVoxels(volume)
    profile = axial_profile(voxels)
    thickness_mm = np.diff(profile.z_mm)[0]
    total_ml = profile.csa_cm2[LEFT].sum() * thickness_mm / 10
    assert total_ml == pytest.approx(voxels.volume_ml[LEFT])


def test_a_tilted_slice_is_not_taken_for_an_axial_one(empty_grid, ellipsoid):
    volume = empty_grid((1.5, 1.5, 1.5), (25, 0, 0), (0, 1, 2), (False,) * 3)
    ellipsoid(volume, LEFT, (0, 0, 0), (15, 15, 50))
    axial_cm2 = np.pi * 15 * 15 / 100
    tilted_cm2 = (volume.data > 0).sum(axis=(0, 1)).max() * 1.5**2 / 100
    assert tilted_cm2 > 1.07 * axial_cm2
    assert axial_profile(LabelledVoxels(volume)).maximum(LEFT)[0] == pytest.approx(
        axial_cm2, rel=0.03
    )


def test_the_head_axis_is_found_in_a_coronal_volume():
    coronal = np.array([[-2.0, 0, 0, 0], [0, 0, 4.0, 0], [0, 2.0, 0, 0], [0, 0, 0, 1]])
    assert LabelledVoxels(Volume(np.zeros((2, 2, 2), np.uint8), coronal)).head_axis == 1
