import os
import re

import pytest

from muscle_study.protocol.paths import PARAMS, ROOT, RunPaths
from muscle_study.protocol.stages import STAGES
from muscle_study.running.documents import ParameterError
from muscle_study.running.parameters import describe, load
from muscle_study.running.reference import README, reference
from muscle_study.running.slices import keep_used, write_slices


def rejected(*overrides, run="demo", folder=PARAMS):
    with pytest.raises(ParameterError) as caught:
        load(run, overrides, folder)
    return str(caught.value)


@pytest.fixture
def written(tmp_path):
    """Return a function that writes demo.yaml with a change, in a folder of its own."""

    def write(old, new):
        text = (PARAMS / "demo.yaml").read_text()
        assert old in text
        (tmp_path / "demo.yaml").write_text(text.replace(old, new, 1))
        return tmp_path

    return write


@pytest.mark.parametrize("path", sorted(PARAMS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_parameter_file_is_valid(path):
    assert load(path.stem).training.segmenter.max_epochs >= 1


def test_an_override_replaces_one_value():
    changed = load(
        "demo", ["training.segmenter.max_epochs=3", "training.augmentation.flip=0.25"]
    ).training
    assert (changed.segmenter.max_epochs, changed.augmentation["flip"]) == (3, 0.25)
    assert changed.segmenter.batch_size == load("demo").training.segmenter.batch_size


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "training.segmenter.max_epoch=3",
            "training.segmenter.max_epoch: unknown key. Did you mean max_epochs?",
        ),
        ("trainin.max_epochs=3", "trainin: unknown key. Did you mean training?"),
        (
            "training.segmenter.learning_rate=1e-3",
            'got "1e-3". YAML reads it as text: write 1.0e-3',
        ),
        ("training.segmenter.learning_rate='1e5'", "write 1.0e+5"),
        ("statistics.confidence=no", "expected a valid number, got false. YAML reads yes, no"),
        (
            "training.segmenter.patch_size=[8,a,8]",
            'training.segmenter.patch_size.1: expected a valid integer, got "a"',
        ),
        ("curation.layout=pacs", "curation.layout: expected 'cohort', 'nako', 'dicom', 'bids' or"),
        (
            "training.segmenter.batch_size=0",
            "training.segmenter.batch_size: expected greater than or equal to 1",
        ),
        (
            "training.segmenter.max_epochs=40",
            "training.segmenter: max_epochs: 40 is not a multiple of validate_every 6, so that "
            "the last epochs would be neither validated nor kept: make it 36 or 42, or change",
        ),
        (
            "training.localiser.deep_supervision=2",
            "training.localiser: deep_supervision: 2 is too much; the decoder has 1 levels",
        ),
        ("curation.validation_fraction=0", "leave no participants to train or to validate"),
        ("training.channels=[watr]", "training.channels: watr is not among curation.contrasts"),
        ("curation.layout=nako", "set cohort.format to dicom"),
        (
            "covariates=[{name: x, label: x, kind: binary, levels: [a, b], lable: x}]",
            "covariates.0.lable: unknown key. Did you mean label?",
        ),
        ("cohort=null", "there is no section cohort"),
        ("curation.source=/elsewhere", "the section cohort makes a cohort that curation does not"),
        ("training.segmenter.max_epochs", "write it as section.key=value"),
        ("training.seed.x=1", "seed has no keys of its own"),
        ("training.augmentation.flp=0.1", "augmentation.flp: unknown key. Did you mean flip?"),
        ("statistics.age_group_edges_years=[50, 40]", "must rise, but is [50, 40]: write [40, 50]"),
        (
            "statistics.bmi_group_edges_kg_m2=[]",
            "bmi_group_edges_kg_m2: expected 1 or more",
        ),
        ("learning_curve.sizes=[4, 4]", "learning_curve.sizes: must rise"),
        ("curation.spacing_mm=[3, 0, 5]", "curation.spacing_mm.1: expected greater than 0"),
        ("curation.age_range_years=[80, 18]", "must be [lowest, highest], but is [80, 18]"),
        ("cohort.check_grids_mm=[]", "cohort.check_grids_mm: expected 1 or more"),
        ("training.segmenter.features=[16, 0, 64, 8]", "features.1: expected greater than or"),
        ("training.weight_decay=.nan", "training.weight_decay: expected"),
        ("training.localiser=null", "training.localiser: expected a section with keys of its own"),
        ("cluster.slurm={1: 2}", "cluster.slurm.1: expected a valid string"),
        ("training.devices=0", "training.devices: expected greater than or equal to 1"),
        ("inference.channels={wter: fat}", "wter is none of training.channels (water, fat)"),
        ("inference.channels={water: ft}", "inference.channels.water: ft is none of curation"),
        ("inference.channels={water: null, fat: null}", "leaves the networks without any image"),
    ],
)
def test_a_wrong_value_is_named_with_its_remedy(override, message):
    assert message in rejected(override)


def test_all_that_is_wrong_is_said_at_once():
    message = rejected("training.segmenter.max_epoch=3", "curation.seed=x")
    assert message.startswith("params/demo.yaml cannot be used:\n")
    assert "training.segmenter.max_epoch" in message and "curation.seed" in message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  seed: 20260108\n", "", "cohort.seed: missing"),
        ("cohort:", "cohort: [", "demo.yaml, line "),
        (
            "\ncohort:",
            "\nreport:\n  title: twice\n\ncohort:",
            "the key report is there twice: keep one",
        ),
    ],
)
def test_a_broken_file_is_named_with_the_place(written, old, new, message):
    folder = written(old, new)
    assert message in rejected(folder=folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# Universit\xe4t\n", "line 1: byte 0xe4 is not UTF-8: save the file as UTF-8"),
        (
            b"training:\n\tseed: 1\n",
            "line 2: found character '\\t' that cannot start any token: in",
        ),
        (b"extends: dmo\n", "mine.yaml, extends: "),
        (b"extends: mine\n", "extends goes in a circle (mine → mine): remove one"),
        (b"extends: [demo]\n", "extends: expected the name of a file, such as demo"),
    ],
)
def test_a_file_that_cannot_be_read_is_explained(tmp_path, content, message):
    (tmp_path / "mine.yaml").write_bytes(content)
    assert message in rejected(run="mine", folder=tmp_path)


def test_a_file_takes_what_it_does_not_say_from_the_one_it_extends(written):
    folder = written("n_imaged: 120", "n_imaged: 130")
    (folder / "own.yaml").write_text(
        "extends: demo\ntraining:\n  segmenter: {max_epochs: 6}\n"
        "  augmentation: {noise: null, motion: 0.5}\nstatistics: {age_group_edges_years: [50]}\n"
    )
    (folder / "real.yaml").write_text(
        "extends: own\ncohort: null\ncuration: {layout: nako, source: x}\n"
    )
    base, own, real = (load(run, folder=folder) for run in ("demo", "own", "real"))
    network = base.training.segmenter.model_copy(update={"max_epochs": 6})
    transforms = {name: p for name, p in base.training.augmentation.items() if name != "noise"}
    assert own.cohort.n_imaged == 130
    assert own.training.segmenter == real.training.segmenter == network
    assert own.training.augmentation == transforms | {"motion": 0.5}
    assert own.statistics.age_group_edges_years == [50]
    assert real.cohort is None


def test_a_wrong_value_names_the_file_that_it_comes_from(written):
    folder = written("n_imaged: 120", "n_imaged: many")
    (folder / "own.yaml").write_text("extends: demo\n")
    assert 'got "many" (from demo.yaml)' in rejected(run="own", folder=folder)


def test_all_parameters_are_printed_with_their_origins(tmp_path):
    changes = ["training.segmenter.max_epochs=3"]
    text = describe("totalsegmentator", changes)
    origins = dict(
        re.findall(r"^ +(max_epochs|gpus|features|layout|address): .*# (.+)$", text, re.M)
    )
    assert origins == {
        "max_epochs": "SET", "features": "nako.yaml", "gpus": "nako.yaml",
        "layout": "totalsegmentator.yaml", "address": "default",
    }  # fmt: skip
    (tmp_path / "printed.yaml").write_text(describe("demo", changes))
    assert load("printed", folder=tmp_path) == load("demo", changes)


@pytest.mark.parametrize("guide", ["own-cohort", "change-the-analysis", "cluster"])
def test_examples_of_the_guides_are_valid(tmp_path, guide):
    text = (ROOT / "docs" / f"{guide}.md").read_text(encoding="utf-8")
    example = "\n".join(re.findall("```yaml\n(.*?)```", text, re.DOTALL))
    (tmp_path / "demo.yaml").write_text((PARAMS / "demo.yaml").read_text())
    own = "" if "extends:" in example else "extends: demo\n"
    (tmp_path / "own.yaml").write_text(own + example)
    assert load("own", folder=tmp_path) != load("demo")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert "expected sections" in rejected(run="empty", folder=tmp_path)


def test_a_missing_file_lists_those_that_exist():
    message = rejected(run="dmo")
    assert "params/dmo.yaml does not exist. Did you mean demo?" in message


def test_a_slice_is_rewritten_only_when_it_changed(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    folder = RunPaths("demo").parameters
    write_slices("demo", load("demo"))
    assert {path.stem for path in folder.glob("*.json")} == {
        each.section for each in STAGES.values()
    }
    for path in folder.glob("*.json"):
        os.utime(path, (1, 1))
    write_slices("demo", load("demo", ["training.segmenter.max_epochs=3", "cluster.workers=1"]))
    assert [path.stem for path in folder.glob("*.json") if path.stat().st_mtime > 1] == ["training"]


def test_values_only_looked_at_do_not_age_a_finished_stage(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    path = RunPaths("demo").parameters / "training.json"
    write_slices("demo", load("demo"))
    os.utime(path, (1, 1))
    keep_used("demo", "training")
    write_slices("demo", load("demo", ["training.segmenter.max_epochs=3"]))
    assert path.stat().st_mtime > 1
    write_slices("demo", load("demo"))
    assert path.stat().st_mtime == 1


def test_a_changed_export_changes_the_slice_of_curation(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path / "output"))
    export = tmp_path / "export" / "s0001"
    export.mkdir(parents=True)
    parameters = load("totalsegmentator", [f"curation.source={export.parent}"])
    path = RunPaths("real").parameters / "curation.json"
    write_slices("real", parameters)
    before = path.read_text()
    (export / "mri.nii.gz").write_bytes(b"new")
    write_slices("real", parameters)
    assert path.read_text() != before
    assert not (path.parent / "cohort.json").exists()


@pytest.mark.parametrize("key", ["withdrawn", "verdicts"])
def test_a_changed_list_changes_the_slice_of_curation(tmp_path, monkeypatch, key):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path / "output"))
    listed = tmp_path / "list"
    slices = []
    changes = [f"curation.{key}={listed}"]
    with pytest.raises(ParameterError, match=f"curation.{key}: there is no file"):
        write_slices("demo", load("demo", changes))
    for content in ("100001\n", "100002\n"):
        listed.write_text(content)
        write_slices("demo", load("demo", changes))
        slices.append((RunPaths("demo").parameters / "curation.json").read_text())
    assert len(set(slices)) == 2


def test_a_missing_export_is_named():
    parameters = load("totalsegmentator", ["curation.source=/nowhere/at/all"])
    with pytest.raises(ParameterError, match="there is no folder /nowhere/at/all"):
        write_slices("totalsegmentator", parameters)


def test_the_readme_is_written_from_the_descriptions():
    assert README.read_text(encoding="utf-8") == reference()


PRETRAINED = ["training.pretrained=data/models/randomised", "training.channels=[image]"]


def test_a_finished_model_needs_no_training_participants_but_its_contrast():
    assert "name its stand-in in inference.channels.image" in rejected(*PRETRAINED)
    everyone = ["curation.validation_fraction=0", "curation.test_fraction=1"]
    parameters = load("demo", [*PRETRAINED, *everyone, "inference.channels={image: in_phase}"])
    assert parameters.curation.test_fraction == 1
