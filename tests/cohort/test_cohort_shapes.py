"""Areas of stacks are exact, and painting agrees with them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_study.cohort.shapes import Posture, Stack, paint

UPRIGHT = Posture(np.array([-500.0, 500.0]), np.zeros(2), np.zeros(2), 0.0)
CYLINDER = Stack(np.array([[-20.0, 0, 0, 10, 5], [20.0, 0, 0, 10, 5]]))


def painted_ml(stack: Stack, posture: Posture, pitch_mm: float = 1.0) -> float:
    axis = np.arange(-80, 80, pitch_mm) + pitch_mm / 2
    canvas = np.zeros((len(axis),) * 3, np.uint8)
    paint(canvas, 1, stack, (axis, axis, axis), posture)
    return canvas.sum() * pitch_mm**3 / 1000


def test_elliptic_cylinder_has_the_textbook_volume():
    assert CYLINDER.area_mm2(np.array([0.0]))[0] == pytest.approx(np.pi * 10 * 5)
    assert CYLINDER.volume_mm3() == pytest.approx(np.pi * 10 * 5 * 40)


def test_superellipse_area_nears_the_box_as_the_exponent_grows():
    areas = [Stack(CYLINDER.rows, exponent=n).area_mm2(np.array([0.0]))[0] for n in (2, 4, 8, 200)]
    assert areas == sorted(areas)
    assert areas[-1] == pytest.approx(4 * 10 * 5, rel=0.01)


def test_there_is_nothing_outside_of_the_stack():
    assert CYLINDER.area_mm2(np.array([-20.1, 20.1])).tolist() == [0, 0]


@settings(max_examples=15, deadline=None)
@given(
    angle=st.floats(0, 360),
    bend=st.floats(-0.02, 0.02),
    exponent=st.sampled_from([2.0, 2.4, 4.0]),
    rotation=st.floats(-0.5, 0.5),
    shift=st.floats(-15, 15),
)
def test_bends_rotations_and_shifts_keep_the_volume(angle, bend, exponent, rotation, shift):
    stack = Stack(
        np.array([[-30.0, 5, 0, 12, 9], [0.0, 0, 4, 22, 14], [30.0, -5, 0, 10, 12]]),
        angle_deg=angle,
        bend_per_mm=bend,
        exponent=exponent,
    )
    knots = np.array([-500.0, -20.0, 20.0, 500.0])
    posture = Posture(knots, np.array([0, 0, shift, shift]), np.array([0, shift, 0, 0]), rotation)
    # voxels of 1 mm on sections of some 800 mm2, summed over 60 of them
    assert painted_ml(stack, posture) == pytest.approx(stack.volume_mm3() / 1000, rel=0.01)


def test_mirrored_stack_is_the_reflection():
    stack = Stack(
        np.array([[-10.0, 30, 5, 20, 6], [10.0, 35, 5, 20, 6]]), angle_deg=30, bend_per_mm=0.01
    )
    axis = np.arange(-79.5, 80)
    canvases = []
    for shape in (stack, stack.mirrored()):
        canvas = np.zeros((160,) * 3, np.uint8)
        paint(canvas, 1, shape, (axis, axis, axis), UPRIGHT)
        canvases.append(canvas)
    assert canvases[0].any()
    np.testing.assert_array_equal(canvases[0], canvases[1][:, :, ::-1])


def test_later_paint_covers_earlier():
    axis = np.arange(-30.0, 30)
    canvas = np.zeros((60,) * 3, np.uint8)
    paint(canvas, 1, CYLINDER, (axis, axis, axis), UPRIGHT)
    before = (canvas == 1).sum()
    paint(canvas, 2, CYLINDER, (axis, axis, axis), UPRIGHT)
    assert (canvas == 2).sum() == before
    assert not (canvas == 1).any()
