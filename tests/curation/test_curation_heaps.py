"""Identification of participants and series in unordered DICOM and BIDS-like folders."""

import json

import nibabel as nib
import numpy as np
import pytest
from dicom_files import enhanced, single_frames

from muscle_study.imaging.volumes import Volume, load
from muscle_study.protocol.paths import image_file

AFFINE = np.array([[-3.0, 0, 0, 30], [0, -3, 0, 24], [0, 0, 5, -10], [0, 0, 0, 1]])
DIXON = {"WATER": "water", "FAT": "fat"}


def voxels(low, high, seed):
    return np.random.default_rng(seed).integers(low, high, (6, 5, 4)).astype(np.int16)


def pair(seed=0):
    """Return water and fat with brighter fat, as under the skin."""
    return {"WATER": Volume(voxels(1, 200, seed), AFFINE),
            "FAT": Volume(voxels(300, 500, seed + 50), AFFINE)}  # fmt: skip


@pytest.fixture
def heap(tmp_path):
    folder = tmp_path / "heap"
    folder.mkdir()

    def add(contents):
        for content in contents:
            path = folder / f"IM{len(list(folder.iterdir())):04}"
            path.write_bytes(content)

    add.folder = folder
    return add


@pytest.fixture
def run(curate, heap):
    return lambda **more: curate(layout="dicom", source=str(heap.folder), **more)


def dixon_series(volumes, patient, first=1, **tags):
    return [
        content
        for number, (kind, volume) in enumerate(volumes.items(), start=first)
        for content in single_frames(volume, number, PatientID=patient, EchoTime=1.23,
                                     ImageType=["DERIVED", "PRIMARY", "DIXON", kind], **tags)
    ]  # fmt: skip


def test_a_heap_of_several_people_is_parted_by_its_headers(heap, run, paths):
    people = {name: pair(seed) for seed, name in enumerate(("P1", "P2"))}
    heap(content for name, volumes in people.items() for content in dixon_series(volumes, name))
    heap([b"a note"])
    after = run()
    assert after.exclusions.empty, after.exclusions.to_string()
    assert after.about["unclaimed_files"] == 1
    for name, volumes in people.items():
        for kind, contrast in DIXON.items():
            curated = load(image_file(paths.curated / "images" / name, contrast))
            np.testing.assert_array_equal(curated.data, volumes[kind].data[::-1, ::-1])


def test_an_enhanced_file_holds_all_contrasts(heap, run, paths):
    volumes = pair()
    heap([enhanced({(kind, 1.23): volume for kind, volume in volumes.items()})])
    after = run()
    assert after.exclusions.empty, after.exclusions.to_string()
    for kind, contrast in DIXON.items():
        curated = load(image_file(paths.curated / "images/P1", contrast))
        np.testing.assert_array_equal(curated.data, volumes[kind].data[::-1, ::-1])


def test_a_damaged_slice_costs_the_scan_and_the_one_before_it_is_taken(heap, run, paths):
    first, again = pair(0), pair(1)
    heap(dixon_series(first, "P1"))
    broken = dixon_series(again, "P1", first=11)
    broken[1] = broken[1][:-20]
    heap(broken)
    after = run()
    assert after.exclusions.empty, after.exclusions.to_string()
    assert after.inventory.loc[after.inventory["used"], "series"].tolist() == [1, 2]
    problems = after.inventory["problem"].dropna()
    assert problems.str.contains("slices are missing").any()
    assert problems.str.contains("bytes of voxels").any()


def test_a_table_beside_the_heap_is_used(heap, run):
    heap(dixon_series(pair(), "P1"))
    (heap.folder / "participants.csv").write_text(
        "participant_id,sex,age_years,height_cm,weight_kg,bmi_kg_m2\nP1,F,40,200,100,25.0\n"
    )
    after = run()
    assert after.participants[["participant_id", "sex"]].values.tolist() == [["P1", "female"]]
    assert after.about["demographics"] is True


@pytest.fixture
def bids(tmp_path):
    folder = tmp_path / "bids"
    anat = folder / "sub-01" / "anat"
    anat.mkdir(parents=True)
    for kind, volume in pair().items():
        nib.save(nib.Nifti1Image(volume.data, volume.affine), anat / f"sub-01_{kind}.nii.gz")
        facts = {"Modality": "MR", "ScanningSequence": "GR", "MRAcquisitionType": "3D",
                 "EchoTime": 0.00123, "MagneticFieldStrength": 3,
                 "ImageType": ["DERIVED", "PRIMARY", "DIXON", kind]}  # fmt: skip
        (anat / f"sub-01_{kind}.json").write_text(json.dumps(facts))
    table = "participant_id\tsex\tage\theight_cm\tweight_kg\nsub-01\tM\t40\t200\t100\n"
    (folder / "participants.tsv").write_text(table)
    return anat


def test_bids_tables_and_sidecars_are_read(bids, curate):
    after = curate(layout="bids", source=str(bids.parents[1]))
    assert after.exclusions.empty, after.exclusions.to_string()
    person = after.participants.iloc[0]
    assert person[["participant_id", "sex", "age_years", "bmi_kg_m2"]].tolist() == [
        "01", "male", 40, 25,
    ]  # fmt: skip


@pytest.mark.parametrize("content", [None, "no JSON", "[]", '{"EchoTime": "soon"}'])
def test_an_image_without_a_sidecar_that_says_what_it_is_leaves(bids, curate, content):
    sidecar = bids / "sub-01_WATER.json"
    sidecar.unlink()
    if content is not None:
        sidecar.write_text(content)
    (bids.parents[1] / "sub-02").mkdir()
    with pytest.raises(RuntimeError, match="no participant is left"):
        curate(layout="bids", source=str(bids.parents[1]))
