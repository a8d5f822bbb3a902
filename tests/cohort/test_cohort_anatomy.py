"""Bodies have the drawn muscles, and every structure in its place."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from muscle_study.cohort.anatomy.body import build_body
from muscle_study.cohort.anatomy.fields import FIELD_OF_VIEW_MM
from muscle_study.cohort.anatomy.habitus import habitus
from muscle_study.cohort.anatomy.muscles import psoas, union_volume_mm3
from muscle_study.cohort.anatomy.sampling import Body, sample
from muscle_study.cohort.anatomy.spine import level_z_mm
from muscle_study.cohort.anatomy.tissues import Tissue
from muscle_study.cohort.scanner.grid import Grid
from muscle_study.protocol.muscles import STRUCTURES, Label

PITCH_MM = (3.0, 3.0, 4.0)


def person(sex, height_cm, bmi_kg_m2, csa_cm2, gluteus_ml, seed=3):
    participant = {
        "sex": sex, "age_years": 50, "height_cm": height_cm, "bmi_kg_m2": bmi_kg_m2,
    }  # fmt: skip
    muscles = {}
    for side, larger in (("left", 1.0), ("right", 1.04)):
        muscles[f"psoas_csa_{side}_cm2"] = larger * csa_cm2
        muscles[f"psoas_volume_{side}_ml"] = 0.10 * larger * csa_cm2 * height_cm
        muscles[f"gluteus_volume_{side}_ml"] = larger * gluteus_ml
    return muscles, build_body(participant, muscles, np.random.default_rng(seed))


BODIES = {
    "slim woman": ("female", 150.0, 17.0, 7.0, 600.0),
    "man": ("male", 178.0, 26.0, 19.0, 1700.0),
    "heavy man": ("male", 200.0, 44.0, 32.0, 3000.0),
    "obese woman": ("female", 160.0, 42.0, 14.0, 1500.0),
}


@pytest.fixture(scope="module", params=BODIES)
def drawn(request):
    return person(*BODIES[request.param])


@pytest.fixture(scope="module")
def man():
    _, body = person(*BODIES["man"])
    axes = Grid(PITCH_MM).axes_mm()
    return axes, sample(body, axes)


def stacks(body, label):
    return [part.stack for part in body.muscles[label]]


def test_psoas_has_exactly_the_drawn_section_and_volume(drawn):
    muscles, body = drawn
    for side, label in (("left", Label.PSOAS_LEFT), ("right", Label.PSOAS_RIGHT)):
        (stack,) = stacks(body, label)
        csa, volume = muscles[f"psoas_csa_{side}_cm2"], muscles[f"psoas_volume_{side}_ml"]
        assert stack.max_area_mm2() / 100 == pytest.approx(csa, rel=1e-6)
        assert stack.volume_mm3() / 1000 == pytest.approx(volume, rel=1e-5)


def test_gluteus_has_the_drawn_volume(drawn):
    """The error is below 0.2 %, compared with half the pitch of the sum."""
    muscles, body = drawn
    parts = stacks(body, Label.GLUTEUS_RIGHT)
    fine = union_volume_mm3(parts, pitch_mm=(0.75, 0.75, 1.0)) / 1000
    assert union_volume_mm3(parts) / 1000 == pytest.approx(fine, rel=0.001)
    assert fine == pytest.approx(muscles["gluteus_volume_right_ml"], rel=0.001)


def test_deformed_muscles_keep_their_sizes(drawn):
    muscles, body = drawn
    alone = Body([], body.muscles, body.deformation)
    axes = Grid((1.5, 1.5, 2.0)).axes_mm()
    tissues = sample(alone, axes)
    volume = np.count_nonzero(tissues == Label.GLUTEUS_RIGHT) * 4.5 / 1000
    assert volume == pytest.approx(muscles["gluteus_volume_right_ml"], rel=0.005)
    csa = np.count_nonzero(tissues == Label.PSOAS_LEFT, axis=(1, 2)).max() * 2.25 / 100
    assert csa == pytest.approx(muscles["psoas_csa_left_cm2"], rel=0.02)


def test_gluteus_parts_share_the_volume_as_published(drawn):
    """Maximus, medius, minimus about 61, 31 and 8 % (Belzunce et al., NMR Biomed 2022)."""
    _, body = drawn
    volumes = np.array([stack.volume_mm3() for stack in stacks(body, Label.GLUTEUS_LEFT)])
    np.testing.assert_allclose(volumes / volumes.sum(), [0.61, 0.31, 0.08], atol=0.02)


def test_muscles_lie_inside_the_field_of_view_and_apart(drawn):
    _, body = drawn
    low, high = FIELD_OF_VIEW_MM[2]
    for label in STRUCTURES:
        for stack in stacks(body, label):
            assert low < stack.z_range_mm[0] < stack.z_range_mm[1] < high
    axes = Grid(PITCH_MM).axes_mm()
    sides = sample(Body([], body.muscles, body.deformation), axes)
    for left, right in (
        (Label.PSOAS_LEFT, Label.PSOAS_RIGHT), (Label.GLUTEUS_LEFT, Label.GLUTEUS_RIGHT),
    ):  # fmt: skip
        x = [axes[0][np.nonzero(sides == label)[2]] for label in (left, right)]
        assert x[0].mean() < 0 < x[1].mean()
        # in each slice the left one ends before the right one begins
        for plane in sides[(sides == left).any(axis=(1, 2)) & (sides == right).any(axis=(1, 2))]:
            assert np.nonzero(plane == left)[1].max() < np.nonzero(plane == right)[1].min()


def test_an_impossible_psoas_is_refused():
    body = habitus("male", 50, 175.0, 25.0, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"20.0 cm2 and 175 cm height cannot hold 3000 mL"):
        psoas(2000.0, 3e6, body)


@pytest.mark.parametrize(
    ("tissue", "x", "z"),
    [(Tissue.LIVER, (-60, 150), (80, 235)), (Tissue.SPLEEN, (-140, -50), (140, 235)),
     (Tissue.KIDNEY_CORTEX, (-110, 110), (70, 210)), (Tissue.DISC, (-45, 45), (20, 235)),
     (Tissue.URINE, (-60, 60), (-130, -30)), (Tissue.CARTILAGE, (-140, 140), (-145, -50)),
     (Tissue.YELLOW_MARROW, (-225, 225), (-235, 235)), (Tissue.NERVE, (-130, 130), (-235, 235))],
)  # fmt: skip
def test_structures_are_in_their_place(man, tissue, x, z):
    axes, tissues = man
    place = np.nonzero(tissues == tissue)
    assert len(place[0]) > 20
    for axis, index, (low, high) in ((axes[2], place[0], z), (axes[0], place[2], x)):
        inside = (axis[index] > low) & (axis[index] < high)
        assert inside.mean() > 0.9


def test_every_tissue_except_metal_occurs(man):
    _, tissues = man
    assert set(np.unique(tissues)) >= set(Tissue) - {Tissue.IMPLANT, Tissue.LUNG}


def test_layers_follow_each_other_from_the_flank_inwards(man):
    axes, tissues = man
    level = np.mean(level_z_mm("L3"))
    line = tissues[np.abs(axes[2] - level).argmin(), np.abs(axes[1] - 10).argmin()]
    outwards = line[axes[0] > 0]
    inwards = outwards[: np.flatnonzero(outwards == Tissue.AIR)[0]][::-1]
    order = [inwards[0], *(b for a, b in itertools.pairwise(inwards) if a != b)]
    assert order[:3] == [Tissue.SKIN, Tissue.FAT, Tissue.MUSCLE]
    assert Tissue.VISCERAL_FAT in order[3:9]


def test_organs_stay_inside_the_wall(drawn):
    """None reaches the subcutaneous fat through the muscles of the abdominal wall."""
    _, body = drawn
    axes = Grid(PITCH_MM).axes_mm()
    belly = sample(body, axes)[axes[2] > 0]
    under_skin = ndimage.binary_dilation(belly == Tissue.FAT)
    bowel = [Tissue.BOWEL_WALL, Tissue.BOWEL_CONTENT, Tissue.GAS]
    for organ in (bowel, [Tissue.LIVER], [Tissue.SPLEEN]):
        inside = np.isin(belly, organ)
        assert inside.mean() > 0.0008
        assert not (inside & under_skin).any()


def test_legs_part_below_the_trunk_and_the_cleft_opens_behind(man):
    (x, y, z), tissues = man
    middle = (abs(x) < 20)[None, :]

    def air_between(height, back, front):
        """Tell whether some line from back to front, between the sides, is of air alone."""
        plane = tissues[abs(z - height).argmin()]
        lines = plane[(y > back) & (y < front)][:, middle[0]] == Tissue.AIR
        return lines.all(axis=0).any()

    assert air_between(-230, -60, 60)
    assert not air_between(-130, -60, 60)
    assert air_between(-130, -115, -95)
    assert not air_between(-30, -90, -70)


def test_air_occurs_only_outside(man):
    """No gap of air remains between parts of the body."""
    _, tissues = man
    for plane in tissues[::8]:
        body = plane > 0
        assert ndimage.binary_fill_holes(body).sum() - body.sum() < 0.002 * body.sum()


def test_bodies_follow_their_seed():
    axes = Grid((8.0, 8.0, 10.0)).axes_mm()
    first, again, other = (sample(person(*BODIES["man"], seed=seed)[1], axes) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.01


def test_heavier_bodies_are_wider_and_women_have_more_fat_on_the_hips():
    axes = Grid((6.0, 6.0, 8.0)).axes_mm()

    def fat(sex, bmi, z_range):
        tissues = sample(person(sex, 172.0, bmi, 15.0, 1400.0)[1], axes)
        slices = (axes[2] > z_range[0]) & (axes[2] < z_range[1])
        return np.count_nonzero(tissues[slices] == Tissue.FAT)

    hips, belly = (-150, -60), (30, 120)
    assert fat("male", 35, belly) > 1.3 * fat("male", 22, belly)
    assert fat("female", 26, hips) > fat("male", 26, hips)
