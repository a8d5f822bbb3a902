"""The whole stage: files, resumption, and a run with Dask."""

import json

import nibabel as nib
import numpy as np
import pytest

from muscle_study.curation import stage
from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import image_file


def tables(folder):
    names = ("participants.csv", "inventory.csv", "exclusions.csv", "flow.csv", "source.json")
    return {name: (folder / name).read_bytes() for name in names}


def test_dask_gives_what_a_loop_gives(export, paths, curate, tiny_curate):
    tiny_curate()
    in_dask = tables(paths.curated)
    curate()
    assert tables(paths.curated) == in_dask


def test_curated_volumes_are_ras_and_left_is_left(export, paths, curate):
    curate()
    labels = nib.load(paths.curated / "labels" / "100001.nii.gz")
    assert nib.aff2axcodes(labels.affine) == ("R", "A", "S")
    voxels = np.argwhere(np.asarray(labels.dataobj) == 1)
    # stored at index 4 along L: x = 30 - 3 * 4 mm
    np.testing.assert_allclose(nib.affines.apply_affine(labels.affine, voxels)[:, 0], 18)


def test_what_the_tables_say(export, paths, curate):
    curate()
    participants = read_table(paths.curated / "participants.csv")
    assert participants["annotated"].tolist() == [True] * 4 + [False]
    assert participants["split"].iloc[-1] == "none"
    assert set(participants["split"][:4]) == {"train", "validation", "test"}
    inventory = read_table(paths.curated / "inventory.csv")
    assert len(inventory) == 5 * 2 + 4
    row = inventory.iloc[0]
    assert row["file"] == "images/100001/water.nii.gz"
    assert row["bytes"] == export.image("100001").stat().st_size
    assert row[["kind", "contrast", "shape", "spacing_mm", "orientation"]].tolist() == [
        "image", "water", "6x5x4", "3x3x5", "LPS",
    ]  # fmt: skip
    assert json.loads((paths.curated / "source.json").read_text()) == {
        "layout": "cohort",
        "synthetic": True,
        "psoas_label": "psoas major",
        "source_participants": 5,
        "demographics": True,
        "unclaimed_files": 0,
        "unmatched_withdrawals": 0,
    }


def test_a_record_says_what_its_participant_took(export, paths, curate):
    curate()
    record = json.loads((paths.curated / "records" / "100001.json").read_text())["record"]
    assert 0 < record["seconds"] < 60


def test_an_export_from_elsewhere_is_not_synthetic(export, curate, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    export.folder.rename(elsewhere)
    assert curate(source=str(elsewhere)).about["synthetic"] is False
    (elsewhere / "manifest.json").write_text('{"stage": "cohort"}')
    assert curate(source=str(elsewhere)).about["synthetic"] is True


def test_finished_participants_are_not_done_again(export, curate, done):
    curate()
    done.clear()
    curate()
    assert done == []


def test_a_changed_file_is_done_again_alone(export, curate, done):
    curate()
    done.clear()
    path = export.image("100002")
    image = nib.load(path)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj) + np.int16(1), image.affine), path)
    curate()
    assert done == ["100002"]


def test_other_parameters_do_everyone_again(export, curate, done):
    curate()
    done.clear()
    curate(spacing_mm=[3.0, 3.0, 4.0])
    assert len(done) == 5
    done.clear()
    curate(spacing_mm=[3.0, 3.0, 4.0], seed=2)  # the split's seed changes no volume
    assert done == []


def test_killed_and_restarted_gives_the_same_bytes(export, paths, curate, done, monkeypatch):
    curate()
    expected = tables(paths.curated)
    images = {path: path.read_bytes() for path in paths.curated.rglob("*.nii*")}
    # as a kill leaves it: no tables, one participant's image and record missing, a part-file
    for name in expected:
        (paths.curated / name).unlink()
    (paths.curated / "records" / "100003.json").unlink()
    image_file(paths.curated / "images" / "100003", "fat").unlink()
    image_file(paths.curated / "images" / "100003", ".77.fat").write_bytes(b"part")
    (paths.curated / "labels" / ".77.100003.nii.gz").write_bytes(b"part")
    image_file(paths.curated / "images" / "100004", "fat").unlink()
    done.clear()

    curate()

    assert done == ["100003", "100004"]
    assert tables(paths.curated) == expected
    assert {path: path.read_bytes() for path in paths.curated.rglob("*.nii*")} == images


def test_withdrawn_participant_is_removed(export, paths, curate):
    curate()
    export.table = export.table[export.table["participant_id"] != "100001"]
    export.write_table()
    for path in export.image("100001").parent.iterdir():
        path.unlink()
    export.image("100001").parent.rmdir()
    curate()
    assert [path for path in paths.curated.rglob("*") if "100001" in path.name] == []


def test_label_without_muscle_is_no_annotation(export, paths, curate):
    path = export.label("100001")
    nib.save(nib.Nifti1Image(np.zeros((6, 5, 4), np.uint8), nib.load(path).affine), path)
    participants = curate().participants.set_index("participant_id")
    assert participants.loc["100001", ["annotated", "split"]].tolist() == [False, "none"]
    assert not (paths.curated / "labels" / "100001.nii.gz").exists()


def test_participants_who_do_not_add_up_fail_the_run(export, curate, monkeypatch):
    real = stage.exclusion_table
    monkeypatch.setattr(stage, "exclusion_table", lambda rows: real(rows).iloc[1:])
    export.image("100001").unlink()
    with pytest.raises(RuntimeError, match="5 participants came in, but 4 kept"):
        curate()
