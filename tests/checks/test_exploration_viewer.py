"""The exploration notebook runs, and its viewer shows the selection."""

import nbclient
import nbformat
import numpy as np
import pandas as pd
import pytest

from example_tables import write_example
from muscle_study.checks.exploration.people import read_people
from muscle_study.checks.exploration.viewer import MASKS, NO_MASK, Viewer, label_colours
from muscle_study.imaging.volumes import Volume, save
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.paths import NOTEBOOKS, RunPaths, image_file

NAMES = ("100129", "100131")


@pytest.fixture
def paths(tmp_path, monkeypatch):
    """A run of two participants; the second has no reference labels."""
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    paths = RunPaths("tiny")
    people = pd.DataFrame({"participant_id": NAMES, "sex": ["male", "female"]})
    people = people.assign(age_years=[50.0, 41.0], bmi_kg_m2=[27.0, 24.0], split=["test", "none"])
    write_example(people, paths.curated / "participants.csv")
    measures = people[["participant_id"]].assign(gluteus_volume_total_ml=[3000.0, 2400.0])
    write_example(measures, paths.measurements / "measures.csv")
    quality = pd.DataFrame(
        {"participant_id": NAMES[:1] * 2, "structure": ["psoas_left", "psoas_right"]}
    )
    quality = quality.assign(dice=[0.9, 0.8], predicted_dice=[0.9, 0.9])
    write_example(quality, paths.measurements / "segmentation_quality.csv")
    write_example(people[["participant_id"]].head(0), paths.curated / "exclusions.csv")
    for name in ("population", "measures", "regression"):
        write_example(pd.DataFrame({"mean": [1.0]}), paths.tables / f"{name}.csv")
    labels = np.zeros((6, 5, 4), np.uint8)
    labels[2:4, 2, 1:3] = Label.PSOAS_LEFT
    for name in NAMES:
        for contrast in ("water", "fat"):
            image = Volume(labels.astype(np.int16) * 100, np.eye(4))
            save(image, image_file(paths.curated / "images" / name, contrast))
        save(Volume(labels, np.eye(4)), paths.segmentations / f"{name}.nii.gz")
    save(Volume(labels, np.eye(4)), paths.curated / "labels" / f"{NAMES[0]}.nii.gz")
    return paths


def shown(viewer):
    return [str(volume.path.relative_to(viewer.paths.data)) for volume in viewer.niivue.volumes]


def test_all_that_is_known_of_each_is_in_one_row(paths):
    people = read_people(paths)
    assert people.index.tolist() == list(NAMES)
    assert people["gluteus_volume_total_ml"].tolist() == [3000.0, 2400.0]
    assert people.loc["100129", "dice"] == pytest.approx(0.85)
    assert np.isnan(people.loc["100131", "dice"])


def test_the_viewer_shows_what_the_menus_say(paths):
    viewer = Viewer(paths)
    assert shown(viewer) == ["curated/images/100129/fat.nii", "segmentations/100129.nii.gz"]
    viewer.contrast.value, viewer.mask.value = "water", "reference"
    assert shown(viewer) == ["curated/images/100129/water.nii", "curated/labels/100129.nii.gz"]
    viewer.participant.value = "100131"
    assert shown(viewer) == ["curated/images/100131/water.nii"]
    assert viewer.note.value == "This participant has no reference."
    viewer.mask.value = NO_MASK
    assert len(viewer.niivue.volumes) == 1 and not viewer.note.value
    assert set(MASKS) | {NO_MASK} == set(viewer.mask.options)


def test_a_participant_who_is_not_there_is_named(paths):
    assert Viewer(paths, "100131").participant.value == "100131"
    with pytest.raises(ValueError, match=r"participant 7 is not in curated/participants\.csv"):
        Viewer(paths, "7")
    with pytest.raises(FileNotFoundError, match="make all RUN=none"):
        read_people(RunPaths("none"))


def test_each_label_has_its_colour_and_the_background_none():
    colours = label_colours()
    assert colours["I"] == list(Label)
    assert colours["A"] == [0, 255, 255, 255, 255]
    assert colours["labels"][Label.GLUTEUS_RIGHT] == "gluteus, right"
    assert len(set(zip(colours["R"], colours["G"], colours["B"], strict=True))) == len(Label)


def test_the_notebook_runs(paths):
    notebook = nbformat.read(NOTEBOOKS / "exploration.ipynb", as_version=4)
    parameters = next(c for c in notebook.cells if c.metadata.get("tags") == ["parameters"])
    parameters.source = parameters.source.replace('"demo"', '"tiny"')
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    viewer = next(cell for cell in notebook.cells if cell.id == "viewer").outputs[0].data
    assert "application/vnd.jupyter.widget-view+json" in viewer
