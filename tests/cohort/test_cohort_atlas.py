"""The atlas' measures follow from its label map, and the synthetic muscles resemble it."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk  # noqa: N813 - its own custom

from muscle_study.cohort.anatomy.atlas import (
    ATLAS,
    COLUMNS,
    DISC_L3_L4,
    atlas_shape,
    body_shape,
    compare,
)
from muscle_study.cohort.anatomy.body import build_body
from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import ROOT

REAL = Path(os.environ.get("MUSCLE_STUDY_REAL", ROOT.parent / "shared" / "real"))


def test_file_holds_what_the_atlas_gives():
    path = REAL / "spl_atlas" / "seg.nrrd"
    if not path.exists():
        pytest.skip(f"the atlas is not there: {path}")
    shape = atlas_shape(sitk.GetArrayFromImage(sitk.ReadImage(str(path))))
    pd.testing.assert_frame_equal(read_table(ATLAS), shape, atol=1e-6)


def test_a_map_by_hand():
    """Disc 4 wide; vertebra at columns 8–11; psoas 6 from its middle, half its largest section."""
    labels = np.zeros((20, 10, 20), np.int16)
    labels[9, 5, 8:12] = DISC_L3_L4
    for number, vertebra in enumerate((501, 502, 503, 504, 505)):
        labels[2 * number : 2 * number + 2, 4, 8:12] = vertebra
    for label, column in ((131, 3), (231, 15)):
        labels[:19, 5:7, column : column + 2] = label  # four voxels, their middle 6 away
        labels[19, 5:9, column : column + 2] = label  # eight
    for label in (143, 241, 140, 140, 240, 139):
        labels[15, np.flatnonzero((labels[15] == 0).all(axis=1))[-1], 0] = label
    shape = atlas_shape(labels).set_index(["quantity", "at"])["value"]
    assert shape["psoas_csa"].tolist() == [0.5] * 5
    assert shape["psoas_distance"].tolist() == [1.5] * 5
    np.testing.assert_allclose(shape["gluteus_share"], [2 / 6, 3 / 6, 1 / 6])


@pytest.fixture(scope="module")
def shapes():
    muscles = {}
    for side in ("left", "right"):
        muscles[f"psoas_csa_{side}_cm2"] = 10.0
        muscles[f"psoas_volume_{side}_ml"] = 0.10 * 10.0 * 175.0
        muscles[f"gluteus_volume_{side}_ml"] = 1200.0
    person = {"sex": "male", "age_years": 40, "height_cm": 175.0, "bmi_kg_m2": 24.0}
    return body_shape(build_body(person, muscles, np.random.default_rng(0)), 175.0)


def test_muscles_are_of_the_atlas_shape(shapes):
    """The section at L3 is smaller by the study's rule; the other measures are similar."""
    tables = (shapes, read_table(ATLAS))
    ours, atlas = (table.set_index(["quantity", "at"])["value"] for table in tables)
    assert ours.index.tolist() == atlas.index.tolist()
    np.testing.assert_allclose(ours["gluteus_share"], atlas["gluteus_share"], atol=0.05)
    np.testing.assert_allclose(ours["psoas_distance"], atlas["psoas_distance"], rtol=0.35)
    for table in (ours, atlas):
        assert table["psoas_csa"].is_monotonic_increasing
        assert table["psoas_distance"].is_monotonic_increasing


def test_the_figure_has_a_panel_for_each_quantity(shapes):
    figure = compare(pd.concat([shapes, shapes]))
    assert len(figure.axes) == shapes["quantity"].nunique() == 3
    assert shapes.columns.tolist() == COLUMNS
