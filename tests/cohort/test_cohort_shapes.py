"""Areas of stacks are exact, and sampling agrees with them under any deformation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_study.cohort.anatomy.deformation import Deformation, Waves
from muscle_study.cohort.anatomy.sampling import Body, Breath, sample
from muscle_study.cohort.anatomy.shapes import Part, Stack, both_sides
from muscle_study.cohort.anatomy.tissues import Tissue

ROWS = np.array([[-20.0, 0, 0, 10, 5], [20.0, 0, 0, 10, 5]])
CYLINDER = Stack(ROWS)


def sampled(stack: Stack, pitch_mm: float = 1.0, **body) -> np.ndarray:
    axis = np.arange(-80, 80, pitch_mm) + pitch_mm / 2
    return sample(Body([Part(Tissue.FAT, stack)], **body), (axis, axis, axis)) == Tissue.FAT


def test_elliptic_cylinder_has_the_textbook_volume():
    assert CYLINDER.area_mm2(np.array([0.0]))[0] == pytest.approx(np.pi * 10 * 5)
    assert CYLINDER.volume_mm3() == pytest.approx(np.pi * 10 * 5 * 40)
    assert CYLINDER.max_area_mm2() == pytest.approx(np.pi * 10 * 5)


def test_superellipse_area_nears_the_box_as_the_exponent_grows():
    areas = [Stack(ROWS, exponent=n).area_mm2(np.array([0.0]))[0] for n in (2, 4, 8, 200)]
    assert areas == sorted(areas)
    # between the ellipse, 157 mm2, and the box, 200 mm2
    assert areas[-1] == pytest.approx(4 * 10 * 5, rel=0.02)


def test_cardioid_outline_has_the_textbook_area_also_where_outlines_change_with_height():
    """r = 1 + c cos θ encloses π (1 + c²/2)."""
    cardioid = 1 + 0.4 * np.cos(2 * np.pi * np.arange(16) / 16)
    (area,) = Stack(ROWS, outline=cardioid).area_mm2(np.array([0.0]))
    changing = Stack(ROWS, outline=np.array([np.ones(16), cardioid]))
    low, high = changing.area_mm2(np.array([-20.0, 20.0]))
    assert low == pytest.approx(50 * np.pi, rel=1e-6)
    assert [area, high] == pytest.approx([50 * np.pi * 1.08] * 2, rel=1e-3)


def test_stack_has_no_area_beyond_its_ends():
    assert CYLINDER.area_mm2(np.array([-20.1, 20.1])).tolist() == [0, 0]


@settings(max_examples=25, deadline=None)
@given(
    angle=st.floats(0, 360), bend=st.floats(-0.02, 0.02), lobe=st.floats(0, 0.3),
    exponent=st.sampled_from([2.0, 2.4, 4.0]), rotation=st.floats(-0.5, 0.5),
    shift=st.floats(-15, 15), seed=st.integers(0, 1000),
)  # fmt: skip
def test_every_deformation_keeps_the_axial_areas(
    angle, bend, exponent, lobe, rotation, shift, seed
):
    stack = Stack(
        np.array([[-30.0, 5, 0, 12, 9], [0.0, 0, 4, 22, 14], [30.0, -5, 0, 10, 12]]),
        angle_deg=angle,
        bend_per_mm=bend,
        exponent=exponent,
        outline=1 + lobe * np.cos(3 * np.pi * np.arange(12) / 6),
    )
    rng = np.random.default_rng(seed)
    deformation = Deformation(
        np.array([-500.0, -20.0, 20.0, 500.0]),
        np.array([0, 0, shift, shift]),
        np.array([0, shift, 0, 0]),
        rotation,
        Waves.draw(rng, 3.0, (80.0, 200.0)),
        Waves.draw(rng, 3.0, (80.0, 200.0)),
    )
    inside = sampled(stack, deformation=deformation)
    assert inside.sum() == pytest.approx(stack.volume_mm3(), rel=0.01)
    areas = stack.area_mm2(np.arange(-79.5, 80))
    # counting squares of 1 mm along an edge of some 120 mm
    assert np.abs(inside.sum(axis=(1, 2)) - areas).max() < 25


def test_shears_move_points_by_their_waves():
    shear = Waves(np.array([4.0]), np.array([0.0]), np.array([0.0]), np.array([np.pi / 2]))
    moved = Deformation(np.array([-9.0, 9.0]), np.zeros(2), np.zeros(2), 0.0, shear, None)
    x, y = moved.body_coordinates(np.array([0.0, 10.0]), np.array([5.0]), 0.0)
    np.testing.assert_allclose(x, [[-4, 6]], atol=1e-5)
    np.testing.assert_allclose(y, [[5, 5]], atol=1e-5)
    assert moved.reach_mm == 4


def test_rotation_is_anticlockwise_seen_from_above():
    turned = Deformation(np.array([-9.0, 9.0]), np.zeros(2), np.zeros(2), np.pi / 2)
    # a point on the body's x axis is scanned on the y axis
    x, y = turned.body_coordinates(np.array([0.0]), np.array([10.0]), 0.0)
    np.testing.assert_allclose([x[0, 0], y[0, 0]], [10, 0], atol=1e-5)


def test_mirrored_stack_is_the_reflection():
    stack = Stack(
        np.array([[-10.0, 30, 5, 20, 6], [10.0, 35, 5, 20, 6]]),
        angle_deg=30,
        bend_per_mm=0.01,
        outline=np.array([1.0, 1.2, 0.8, 1.0, 0.9, 1.1, 1.0, 0.9]),
    )
    right, left = (sampled(part.stack) for part in both_sides(Tissue.FAT, stack))
    assert right.any()
    # points half-way between two sectors may fall to either
    assert (right != left[:, :, ::-1]).sum() <= 0.002 * right.sum()


def test_later_parts_cover_earlier_ones():
    axis = np.arange(-30.0, 30)
    parts = [Part(Tissue.FAT, CYLINDER), Part(Tissue.MUSCLE, CYLINDER)]
    tissues = sample(Body(parts), (axis, axis, axis))
    assert set(np.unique(tissues)) == {Tissue.AIR, Tissue.MUSCLE}


def test_only_what_breathes_is_moved_by_a_breath():
    axis = np.arange(-40.0, 41)
    still = Part(Tissue.FAT, Stack(ROWS + np.array([0, 20, 0, 0, 0])))
    breathing = Part(Tissue.LIVER, Stack(ROWS - np.array([0, 20, 0, 0, 0])), breathes=True)
    tissues = sample(Body([still, breathing]), (axis, axis, axis), Breath(y_mm=6.0, z_mm=-3.0))
    for tissue, place in ((Tissue.FAT, (0, 0, 20)), (Tissue.LIVER, (-3, 6, -20))):
        centre = axis[np.argwhere(tissues == tissue)].mean(axis=0)
        np.testing.assert_allclose(centre, place, atol=0.6)


def test_slabs_are_the_slices_of_the_whole():
    axis = np.arange(-30.0, 30, 2.0)
    body = Body([Part(Tissue.FAT, Stack(ROWS, exponent=4.0))])
    whole = sample(body, (axis, axis, axis))
    slab = sample(body, (axis, axis, axis[10:14]))
    assert slab.any()
    np.testing.assert_array_equal(slab, whole[10:14])


@pytest.mark.parametrize(("by_mm", "size"), [(2.0, (12, 7, 44)), (-2.0, (8, 3, 36))])
def test_inflated_stack_is_larger_on_every_side(by_mm, size):
    a, b, height = size
    assert CYLINDER.inflated(by_mm).volume_mm3() == pytest.approx(np.pi * a * b * height)


def test_a_stack_that_is_too_small_shrinks_to_nothing():
    assert CYLINDER.inflated(-30.0).volume_mm3() < 0.01
