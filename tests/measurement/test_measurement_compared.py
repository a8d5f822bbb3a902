import numpy as np
import pandas as pd
import pytest

from example_parameters import section
from example_tables import write_example
from muscle_study.imaging.volumes import Volume, save
from muscle_study.measurement.compared import compare_segmentations
from muscle_study.measurement.participants import measure_cohort
from muscle_study.protocol.exclusions import exclusion_table
from muscle_study.protocol.files import read_table
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.paths import RunPaths

PARAMETERS = section("measurement", min_muscle_ml=0.1, seed=1)
IDENTIFIERS = ["100001", "100002", "100003", "100004", "100005"]


@pytest.fixture
def run(tmp_path, monkeypatch, four_boxes):
    """Five segmented participants, each broader than the one before. The other segmenter makes the
    psoas left one slice longer, misses the fourth's gluteus, and has nothing of the fifth."""
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    monkeypatch.setenv("MUSCLE_STUDY_PLAIN_PROGRESS", "1")
    paths = RunPaths("tiny")
    longer = four_boxes.data.copy()
    longer[4:6, 5:7, 6] = Label.PSOAS_LEFT
    for i, name in enumerate(IDENTIFIERS):
        affine = four_boxes.affine @ np.diag([1 + i / 10, 1, 1, 1])
        save(Volume(four_boxes.data, affine), paths.segmentations / f"{name}.nii.gz")
        other = np.where(longer >= Label.GLUTEUS_LEFT, 0, longer) if name == "100004" else longer
        save(Volume(other.astype(np.uint8), affine), paths.compared / f"{name}.nii.gz")
    participants = pd.DataFrame({"participant_id": IDENTIFIERS, "height_cm": 170.0})
    write_example(participants, paths.curated / "participants.csv")
    write_example(pd.DataFrame({"contrast": ["image"]}), paths.curated / "inventory.csv")
    write_example(participants[["participant_id"]], paths.segmentations / "records.csv")
    write_example(participants[["participant_id"]][:4], paths.compared / "records.csv")
    missing = {"participant_id": "100005", "stage": "inference", "reason": "missing_mask"}
    write_example(exclusion_table([missing]), paths.compared / "exclusions.csv")
    return paths


def test_the_other_segmentation_is_measured_and_compared(run, cluster):
    measures, _, _ = measure_cohort(run, PARAMETERS, cluster)
    found = compare_segmentations(run, measures, PARAMETERS, cluster)
    assert found.participants["participant_id"].tolist() == IDENTIFIERS[:3]
    reasons = found.exclusions.set_index("participant_id")["reason"].to_dict()
    assert reasons == {"100004": "no_muscle_found", "100005": "missing_mask"}
    # 18 and 22 voxels, 18 shared
    assert found.participants["dice_psoas_left"].tolist() == pytest.approx([36 / 40] * 3)
    assert (found.participants["dice_gluteus_right"] == 1).all()
    row = read_table(run.measurements / "comparison.csv").set_index("measure")
    volume = row.loc["psoas_volume_left_ml"]
    assert (volume["n"], volume["bias"]) == (3, pytest.approx(-4 * 0.03 * 1.1))
    # the field of view ends in the gluteus, so that its volume is withheld in both
    assert row.loc["gluteus_volume_total_ml", "n"] == 0


def test_nothing_is_left_where_no_other_is_named(run, cluster):
    measures, _, _ = measure_cohort(run, PARAMETERS, cluster)
    compare_segmentations(run, measures, PARAMETERS, cluster)
    (run.compared / "records.csv").unlink()
    assert compare_segmentations(run, measures, PARAMETERS, cluster) is None
    assert not list(run.measurements.glob("compar*"))
