import nbformat
import numpy as np

from muscle_study.imaging.volumes import Volume, save
from muscle_study.inference.overview import MOST, drawn, show_mean_projection
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.paths import NOTEBOOKS, RunPaths


def test_everyone_is_in_the_picture_up_to_a_number_of_them():
    few = [f"{number:05}" for number in range(MOST)]
    assert drawn(reversed(few)) == few
    many = [f"{number:05}" for number in range(27_805)]
    some = drawn(many)
    assert len(set(some)) == MOST and set(some) < set(many)
    assert some == drawn(reversed(many))
    # from all over the cohort, not its beginning
    assert np.mean([int(name) for name in some]) > 10_000


def test_the_notebook_says_of_how_many():
    cells = nbformat.read(NOTEBOOKS / "03_inference.ipynb", as_version=4).cells
    (text,) = [cell.source for cell in cells if cell.id == "look-text"]
    assert f"a random {MOST} of them" in " ".join(text.split())


def test_the_picture_shows_the_share_that_has_a_structure(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    paths = RunPaths("tiny")
    empty = np.zeros((10, 10, 10), np.uint8)
    full = np.full_like(empty, Label.PSOAS_LEFT)
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    for name, data in {"1": empty, "2": full}.items():
        save(Volume(data, affine), paths.segmentations / f"{name}.nii.gz")
    figure = show_mean_projection(paths, ["1", "2"])
    shown = [axis.images[0].get_array() for axis in figure.axes[:4]]
    assert [float(picture.max()) for picture in shown] == [0.5, 0, 0, 0]
