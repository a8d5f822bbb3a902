"""The TotalSegmentator layout, with synthetic subjects and, if available, real scans."""

import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from muscle_study.curation.sources.totalsegmentator import STRUCTURES, read_names
from muscle_study.protocol.paths import ROOT, image_file

REAL = Path(os.environ.get("MUSCLE_STUDY_REAL", ROOT.parent / "shared" / "real"))
AFFINE = np.diag([1.5, 1.5, 1.5, 1])
SHAPE = (6, 5, 4)
TOTAL_MR = {"gluteus_maximus_left": 40, "gluteus_medius_left": 42, "iliopsoas_right": 49}
TOTAL_CT = {"gluteus_maximus_left": 80, "gluteus_medius_left": 82, "iliopsoas_right": 89}


def save(path, data, affine=AFFINE):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(data, affine), path)


class DataSet:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def image(self, subject, name="mri.nii.gz"):
        seed = int.from_bytes(subject.encode())
        voxels = np.random.default_rng(seed).integers(0, 900, SHAPE).astype(np.int16)
        save(self.folder / subject / name, voxels)

    def mask(self, subject, structure, *voxels, shape=SHAPE):
        data = np.zeros(shape, np.uint8)
        for voxel in voxels:
            data[voxel] = 1
        save(self.folder / subject / "segmentations" / f"{structure}.nii.gz", data)

    def multi(self, subject, numbers, name="segmentations.nii.gz"):
        data = np.zeros(SHAPE, np.uint8)
        data[0, 0, 0] = numbers["gluteus_maximus_left"]
        data[1, 0, 0] = numbers["gluteus_medius_left"]
        data[2, 0, 0] = numbers["iliopsoas_right"]
        data[3, 0, 0] = 5  # liver
        save(self.folder / subject / name, data)


@pytest.fixture
def dataset(tmp_path):
    return DataSet(tmp_path / "dataset")


@pytest.fixture
def run(dataset, curate):
    def curated(**changes):
        return curate(
            layout="totalsegmentator",
            source=str(dataset.folder),
            contrasts=["image"],
            spacing_mm=[1.5, 1.5, 1.5],
            **changes,
        )

    return curated


def labels_of(paths, subject):
    data = np.asarray(nib.load(paths.curated / "labels" / f"{subject}.nii.gz").dataobj)
    return {tuple(map(int, voxel)): int(data[tuple(voxel)]) for voxel in np.argwhere(data)}


def test_gluteus_parts_are_joined_and_iliopsoas_stands_for_psoas(dataset, run, paths):
    dataset.image("s0001")
    dataset.mask("s0001", "gluteus_maximus_left", (0, 0, 0))
    dataset.mask("s0001", "gluteus_medius_left", (1, 0, 0))
    dataset.mask("s0001", "gluteus_minimus_left", (1, 0, 0), (2, 0, 0))
    dataset.mask("s0001", "iliopsoas_right", (5, 4, 3))
    dataset.mask("s0001", "liver", (3, 3, 3))
    curated = run()
    assert labels_of(paths, "s0001") == {
        (0, 0, 0): 3, (1, 0, 0): 3, (2, 0, 0): 3, (5, 4, 3): 2,
    }  # fmt: skip
    assert curated.about["psoas_label"] == "iliopsoas"
    assert curated.about["demographics"] is False
    assert curated.about["synthetic"] is False


@pytest.mark.parametrize(("image", "numbers"), [("mri.nii.gz", TOTAL_MR), ("ct.nii.gz", TOTAL_CT)])
@pytest.mark.parametrize("name", ["segmentations.nii.gz", "labels.nii.gz"])
def test_multi_label_file_without_names_has_the_tools_numbers(
    dataset, run, paths, image, numbers, name
):
    dataset.image("s0001", image)
    dataset.multi("s0001", numbers, name)
    run()
    assert labels_of(paths, "s0001") == {(0, 0, 0): 3, (1, 0, 0): 3, (2, 0, 0): 2}


@pytest.mark.parametrize("place", [".", "s0001"])
def test_table_of_names_beside_or_above_counts_first(dataset, run, paths, place):
    numbers = {
        "gluteus_maximus_left": 1,
        "gluteus_medius_left": 2,
        "iliopsoas_right": 3,
        "liver": 5,
    }
    dataset.image("s0001")
    dataset.multi("s0001", numbers)
    table = {"labels": {"background": 0, **numbers}}
    (dataset.folder / place / "dataset.json").write_text(json.dumps(table))
    run()
    assert labels_of(paths, "s0001") == {(0, 0, 0): 3, (1, 0, 0): 3, (2, 0, 0): 2}


def test_names_are_read_in_either_direction(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text('{"48": "iliopsoas_left"}')
    assert read_names(path) == {48: "iliopsoas_left"}
    path.write_text('{"labels": {"iliopsoas_left": 48}}')
    assert read_names(path) == {48: "iliopsoas_left"}


def test_every_structure_has_its_side():
    assert len(STRUCTURES) == 8
    assert all(
        label.name.endswith(name.rsplit("_")[-1].upper()) for name, label in STRUCTURES.items()
    )


def test_bad_subjects_leave_with_a_reason(dataset, run):
    dataset.image("s0001")
    dataset.mask("s0001", "iliopsoas_left", (0, 0, 0))
    dataset.mask("s0002", "iliopsoas_left", (0, 0, 0))
    dataset.image("s0003")
    dataset.mask("s0003", "iliopsoas_left", (0, 0, 0), shape=(6, 5, 3))
    dataset.image("s0004")
    dataset.multi("s0004", TOTAL_CT)  # numbers of the other task
    curated = run()
    assert curated.participants["participant_id"].tolist() == ["s0001"]
    assert curated.exclusions[["participant_id", "reason"]].to_numpy().tolist() == [
        ["s0002", "no_images"],
        ["s0003", "grid_mismatch"],
        ["s0004", "unknown_label"],
    ]


def test_meta_is_read_and_may_be_incomplete(dataset, run):
    meta = "\ufeffimage_id;age;gender;split\ns0001;61;f;test\ns0002;;;train\ns0003;44;m;val\n"
    (dataset.folder / "meta.csv").write_text(meta, encoding="utf-8")
    for subject in ("s0001", "s0002", "s0003", "s0004"):
        dataset.image(subject)
        dataset.mask(subject, "iliopsoas_left", (0, 0, 0))
    table = run().participants.set_index("participant_id")
    assert table["split"].tolist() == ["test", "train", "validation", "train"]
    assert table["sex"].fillna("").tolist() == ["female", "", "male", ""]
    assert table["age_years"].fillna(-1).tolist() == [61, -1, 44, -1]
    assert table["bmi_kg_m2"].isna().all()


def test_subject_in_meta_without_a_folder_is_counted(dataset, run):
    (dataset.folder / "meta.csv").write_text("image_id;age;gender\ns0001;61;f\ns0002;50;m\n")
    dataset.image("s0001")
    curated = run()
    assert curated.exclusions[["participant_id", "reason"]].to_numpy().tolist() == [
        ["s0002", "no_images"]
    ]
    assert curated.about["source_participants"] == 2


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ("image_id,age,gender\ns0001,61,f\n", "column image_id, gender, age is missing"),
        ("image_id;age;gender;split\ns0001;61;f;fold1\n", "column split holds fold1"),
    ],
)
def test_broken_meta_stops_the_run(dataset, run, meta, message):
    (dataset.folder / "meta.csv").write_text(meta)
    dataset.image("s0001")
    with pytest.raises(ValueError, match=message):
        run()


def test_missing_folder_stops_the_run(dataset, run):
    dataset.folder.rmdir()
    with pytest.raises(FileNotFoundError, match=r"dataset is missing.*curation.source"):
        run()


def test_empty_folder_stops_the_run(run):
    with pytest.raises(ValueError, match=r"no participants; check curation.source"):
        run()


#: Voxel index that grows to the left or to the right, as nibabel names the axes.
REAL_SCANS = {"s_mr_slab": ("mri.nii.gz", "LPS"), "s_ct_slab": ("ct.nii.gz", "RAS")}


@pytest.mark.skipif(
    not (REAL / "totalsegmentator").is_dir(),
    reason="real scans are not here: set MUSCLE_STUDY_REAL to their folder",
)
@pytest.mark.parametrize("spacing_mm", [[3.0, 3.0, 3.0], [1.5, 1.5, 1.5]])
def test_real_scans_keep_muscle_volume_and_place(curate, paths, spacing_mm):
    source = REAL / "totalsegmentator"
    curated = curate(
        layout="totalsegmentator", source=str(source), contrasts=["image"], spacing_mm=spacing_mm
    )
    assert curated.exclusions.empty
    assert curated.participants["annotated"].all()
    for subject, (image_name, orientation) in REAL_SCANS.items():
        image = nib.load(source / subject / image_name)
        assert "".join(nib.aff2axcodes(image.affine)) == orientation
        labels = nib.load(paths.curated / "labels" / f"{subject}.nii.gz")
        found = np.asarray(labels.dataobj)
        assert set(np.unique(found)) == {0, 1, 2}  # the slabs end above the gluteus
        for value, side in ((1, "left"), (2, "right")):
            mask = nib.load(source / subject / "segmentations" / f"iliopsoas_{side}.nii.gz")
            voxels = np.argwhere(np.asarray(mask.dataobj) == 1)
            expected_ml = len(voxels) * 3.0**3 / 1000
            found_ml = (found == value).sum() * np.prod(spacing_mm) / 1000
            # 1.5 mm halves each edge, so that nearest neighbour is exact there too
            assert found_ml == pytest.approx(expected_ml, rel=1e-9)
            expected_at = nib.affines.apply_affine(mask.affine, voxels).mean(axis=0)
            found_at = nib.affines.apply_affine(labels.affine, np.argwhere(found == value))
            np.testing.assert_allclose(found_at.mean(axis=0), expected_at, atol=0.01)
        check_real_image(image, image_file(paths.curated / "images" / subject, "image"), spacing_mm)


def check_real_image(source, path, spacing_mm):
    curated = nib.load(path)
    assert nib.aff2axcodes(curated.affine) == ("R", "A", "S")
    assert curated.header.get_zooms() == pytest.approx(spacing_mm)
    expected = np.asarray(source.dataobj)
    found = np.asarray(curated.dataobj)
    if spacing_mm[0] == 3.0:  # turned only: the same voxels in another order
        if nib.aff2axcodes(source.affine) == ("L", "P", "S"):
            expected = expected[::-1, ::-1]
        np.testing.assert_array_equal(found, expected)
    else:
        assert found[2:-2, 2:-2, 2:-2].mean() == pytest.approx(
            expected[1:-1, 1:-1, 1:-1].mean(), 0.02
        )
