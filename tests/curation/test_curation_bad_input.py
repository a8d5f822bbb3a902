"""Each kind of bad input has its reason code and leaves other participants unaffected."""

import gzip
import shutil

import nibabel as nib
import numpy as np
import pytest

BAD = "100003"
OTHERS = ["100001", "100002", "100004", "100005"]


def image_array(path):
    return np.asarray(nib.load(path).dataobj)


def rewrite(path, data, affine=None):
    nib.save(nib.Nifti1Image(data, nib.load(path).affine if affine is None else affine), path)


def no_images(export):
    shutil.rmtree(export.image(BAD).parent)


def missing_contrast(export):
    export.image(BAD, "fat").unlink()


def truncated_gzip(export):
    path = export.image(BAD)
    path.write_bytes(path.read_bytes()[:-40])


def checksum_wrong(export):
    path = export.image(BAD)
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)


def not_an_image(export):
    export.image(BAD).write_bytes(gzip.compress(b"<html>404</html>"))


def empty_file(export):
    export.image(BAD).write_bytes(b"")


def nan_voxels(export):
    data = image_array(export.image(BAD)).astype(np.float32)
    data[0, 0, 0] = np.nan
    rewrite(export.image(BAD), data)


def blank_image(export):
    rewrite(export.image(BAD), np.zeros((6, 5, 4), np.int16))


def other_shape(export):
    rewrite(export.image(BAD), image_array(export.image(BAD))[:, :, :-1])


def other_place(export):
    affine = nib.load(export.image(BAD)).affine + np.diag([0.0] * 4)
    affine[2, 3] += 5
    rewrite(export.image(BAD), image_array(export.image(BAD)), affine)


def impossible_spacing(export):
    for contrast in ("water", "fat"):
        path = export.image(BAD, contrast)
        rewrite(path, image_array(path), np.diag([3.0, 3, 500, 1]))


def nowhere(export):
    path = export.image(BAD)
    image = nib.load(path)
    placeless = nib.Nifti1Image(np.asarray(image.dataobj), None)
    nib.save(placeless, path)


def lost_affine(export):
    for contrast in ("water", "fat"):
        path = export.image(BAD, contrast)
        nib.save(nib.Nifti1Image(np.asarray(nib.load(path).dataobj), np.eye(4)), path)


def swapped_left(export):
    paths = [export.image(BAD, contrast) for contrast in ("water", "fat")]
    water, fat = (image_array(path).copy() for path in paths)
    water[3:], fat[3:] = fat[3:].copy(), water[3:].copy()  # stored along L
    for path, data in zip(paths, (water, fat), strict=True):
        rewrite(path, data)


def one_slice(export):
    for contrast in ("water", "fat"):
        path = export.image(BAD, contrast)
        rewrite(path, image_array(path)[:, :, :1])


def unknown_label(export):
    labels = image_array(export.label(BAD)).copy()
    labels[0, 0, 0] = 9
    rewrite(export.label(BAD), labels)


def label_elsewhere(export):
    rewrite(export.label(BAD), image_array(export.label(BAD))[1:])


def change(column, value):
    def apply(export):
        export.table.loc[export.table["participant_id"] == BAD, column] = value
        export.write_table()

    return apply


def duplicate_id(export):
    export.table.loc[len(export.table)] = export.table.loc[2]
    export.write_table()


def not_in_the_table(export):
    export.table = export.table[export.table["participant_id"] != BAD]
    export.write_table()


@pytest.mark.parametrize(
    ("breaks", "reason", "detail"),
    [
        (no_images, "no_images", "none of water, fat"),
        (missing_contrast, "missing_contrast", "fat"),
        (truncated_gzip, "unreadable_image", "water.nii.gz"),
        (checksum_wrong, "unreadable_image", "CRC"),
        (not_an_image, "unreadable_image", "water.nii.gz"),
        (empty_file, "unreadable_image", "water.nii.gz"),
        (nan_voxels, "non_finite_voxels", "water.nii.gz: NaN"),
        (blank_image, "empty_image", "water: every voxel is 0"),
        (other_shape, "grid_mismatch", "6x5x4 at 3x3x5 mm RAS"),
        (other_place, "grid_mismatch", "-5.0"),
        (impossible_spacing, "bad_geometry", "500"),
        (nowhere, "bad_geometry", "neither sform nor qform"),
        (lost_affine, "bad_geometry", "water: the affine is the identity"),
        (swapped_left, "water_fat_swap", "left, z"),
        (one_slice, "bad_geometry", "6x5x1"),
        (unknown_label, "unknown_label", "100003.nii.gz: 9"),
        (label_elsewhere, "grid_mismatch", "100003.nii.gz 5x5x4"),
        (change("sex", ""), "missing_covariate", "sex missing"),
        (change("age_years", ""), "missing_covariate", "age_years missing"),
        (change("age_years", "5"), "implausible_value", "age_years = 5: outside 18–80"),
        (change("age_years", "old"), "implausible_value", "age_years = old: not a number"),
        (change("sex", "2"), "implausible_value", "sex = 2: neither male nor female"),
        (change("height_cm", "2.00"), "implausible_value", "height_cm = 2.00: outside 130–220"),
        (change("bmi_kg_m2", "x"), "implausible_value", "bmi_kg_m2 = x: not a number"),
        (change("bmi_kg_m2", "25.6"), "bmi_contradiction", "25.6 kg/m², 200 cm, 100 kg"),
        (duplicate_id, "duplicate_id", "more than one row"),
        (not_in_the_table, "missing_covariate", "missing"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_bad_participant_leaves_with_a_reason_and_alone(
    export, curate, curated_volumes, good, breaks, reason, detail
):
    before, volumes = good
    breaks(export)

    after = curate()

    row = after.exclusions.iloc[0]
    assert [len(after.exclusions), row["participant_id"]] == [1, BAD]
    assert [row["stage"], row["reason"]] == ["curation", reason]
    assert detail in row["detail"]
    assert after.participants["participant_id"].tolist() == OTHERS
    covariates = ["participant_id", "sex", "age_years", "bmi_kg_m2", "annotated"]
    left = before.participants[before.participants["participant_id"] != BAD]
    assert after.participants[covariates].values.tolist() == left[covariates].values.tolist()
    assert curated_volumes() == {
        path: content for path, content in volumes.items() if BAD not in str(path)
    }
    assert after.about["source_participants"] == len(after.participants) + 1


@pytest.mark.parametrize("breaks", [nan_voxels, unknown_label, change("age_years", "")])
def test_who_turns_bad_after_an_earlier_run_leaves_no_volume(
    export, curate, curated_volumes, breaks
):
    curate()
    breaks(export)
    curate()
    assert not any(BAD in str(path) for path in curated_volumes())


def test_a_swap_of_the_whole_is_put_right_and_counted_apart(export, curate, curated_volumes, good):
    water, fat = (export.image(BAD, contrast) for contrast in ("water", "fat"))
    aside = water.with_name("aside")
    water.rename(aside)
    fat.rename(water)
    aside.rename(fat)
    after = curate()
    assert after.exclusions.empty
    assert curated_volumes() == good[1]
    assert after.corrections[["participant_id", "correction"]].values.tolist() == [
        [BAD, "water_fat_swap"]
    ]
    assert "whole: fat's share of the signal under the skin was 0." in after.corrections.iloc[0, 2]


def test_stated_bmi_within_tolerance_stays(export, curate):
    change("bmi_kg_m2", "25.4")(export)
    assert curate().exclusions.empty


def test_missing_values_are_counted_by_variable_of_all_who_were_read(export, curate):
    change("bmi_kg_m2", "")(export)
    change("age_years", "old")(export)
    change("sex", "")(export)
    missing = curate().missing.set_index("variable")
    assert missing["participants"].tolist() == [5] * 5
    assert missing["missing"].to_dict() == {
        "sex": 1, "age_years": 0, "height_cm": 0, "weight_kg": 0, "bmi_kg_m2": 1,
    }  # fmt: skip
    assert missing["unreadable"].tolist() == [0, 1, 0, 0, 0]
    assert not missing["implausible"].any()


def test_bmi_that_is_not_stated_is_computed(export, curate):
    change("bmi_kg_m2", "")(export)
    participants = curate().participants.set_index("participant_id")
    assert participants.loc[BAD, "bmi_kg_m2"] == 25.0  # 100 kg / (2 m)²


def test_first_reason_counts_where_a_record_has_several(export, curate):
    change("age_years", "5")(export)
    change("sex", "")(export)
    assert curate().exclusions["reason"].tolist() == ["missing_covariate"]


def test_several_bad_participants_each_have_their_row(export, curate):
    missing_contrast(export)
    export.table.loc[0, "age_years"] = "200"
    export.write_table()
    curated = curate()
    assert curated.exclusions["participant_id"].tolist() == ["100001", BAD]
    assert curated.flow["participants"].tolist() == [5, 4, 3]
    assert curated.flow["excluded"].tolist() == [0, 1, 1]


def test_nobody_left_stops_the_run(export, curate):
    shutil.rmtree(export.folder / "images")
    (export.folder / "images").mkdir()
    with pytest.raises(RuntimeError, match=r"no participant is left: see .*exclusions.csv"):
        curate()


def test_a_scan_under_two_identifiers_excludes_both(export, curate, curated_volumes):
    for contrast in ("water", "fat"):
        shutil.copy(export.image("100001", contrast), export.image(BAD, contrast))
    after = curate()
    assert after.exclusions["participant_id"].tolist() == ["100001", BAD]
    assert set(after.exclusions["reason"]) == {"duplicate_scan"}
    assert "voxels of water, fat" in after.exclusions["detail"].iloc[1]
    assert not any(BAD in str(path) for path in curated_volumes())


def repeat_scan(export, number, contrasts):
    for contrast in contrasts:
        copy = export.image(f"{BAD}_{number}", contrast)
        copy.parent.mkdir(exist_ok=True)
        rewritten = image_array(export.image(BAD, contrast)) + number
        nib.save(nib.Nifti1Image(rewritten, nib.load(export.image(BAD, contrast)).affine), copy)


def test_the_last_complete_repeat_is_taken(export, curate):
    repeat_scan(export, 2, ["water", "fat"])
    repeat_scan(export, 3, ["water"])
    after = curate()
    assert after.exclusions.empty
    files = after.inventory[after.inventory["participant_id"] == BAD]
    assert {"images/100003_2/water.nii.gz", "images/100003_2/fat.nii.gz"} <= set(files["file"])


def test_a_repeat_alone_without_a_whole_scan_is_a_missing_contrast(export, curate):
    export.image(BAD, "fat").unlink()
    repeat_scan(export, 2, ["water"])
    assert curate().exclusions["reason"].tolist() == ["missing_contrast"]
