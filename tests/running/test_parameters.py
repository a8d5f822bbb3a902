import os

import pytest

from muscle_study.protocol.paths import PARAMS, RunPaths
from muscle_study.protocol.sections import Section
from muscle_study.protocol.stages import STAGES
from muscle_study.running.parameters import (
    ParameterError,
    StudyParameters,
    keep_used,
    load,
    write_slices,
)


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
            "training.segmenter: max_epochs: 40 is no multiple of validate_every 6, so that the "
            "last and best epochs would not be validated, nor kept: make it 36 or 42, or change",
        ),
        (
            "training.localiser.deep_supervision=2",
            "training.localiser: deep_supervision: 2 is too much; the decoder has 1 levels",
        ),
        ("curation.validation_fraction=0", "leave nobody to train or to validate"),
        ("training.channels=[watr]", "training.channels: watr not among curation.contrasts"),
        ("curation.layout=nako", "set cohort.format to dicom"),
        ("cohort=null", "there is no section cohort"),
        ("curation.source=/elsewhere", "the section cohort makes a cohort that curation does not"),
        ("training.segmenter.max_epochs", "write it as section.key=value"),
        ("training.seed.x=1", "seed has no keys of its own"),
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
        ("\ncohort:", "\nreport:\n  title: twice\n\ncohort:", "the key report stands there twice"),
    ],
)
def test_a_broken_file_is_named_with_the_place(written, old, new, message):
    folder = written(old, new)
    assert message in rejected(folder=folder)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert "expected sections" in rejected(run="empty", folder=tmp_path)


def test_a_missing_file_lists_those_that_exist():
    message = rejected(run="dmo")
    assert "params/dmo.yaml does not exist" in message and "demo" in message


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
    for content in (None, "100001\n", "100002\n"):
        if content:
            listed.write_text(content)
        write_slices("demo", load("demo", [f"curation.{key}={listed}"]))
        slices.append((RunPaths("demo").parameters / "curation.json").read_text())
    assert len(set(slices)) == 3


def test_a_missing_export_is_named():
    parameters = load("totalsegmentator", ["curation.source=/nowhere/at/all"])
    with pytest.raises(ParameterError, match="there is no folder /nowhere/at/all"):
        write_slices("totalsegmentator", parameters)


def sections():
    for section, field in StudyParameters.model_fields.items():
        kinds = (field.annotation, *getattr(field.annotation, "__args__", ()))
        model = next(k for k in kinds if isinstance(k, type) and issubclass(k, Section))
        yield section, set(keys_of(model))


def keys_of(model, above=""):
    for name, field in model.model_fields.items():
        yield above + name
        for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(kind, type) and issubclass(kind, Section):
                yield from keys_of(kind, f"{above}{name}.")


@pytest.mark.parametrize(("section", "keys"), sections(), ids=lambda value: str(value)[:12])
def test_the_readme_describes_every_key_and_no_other(section, keys):
    text = (PARAMS / "README.md").read_text()
    _, _, rest = text.partition(f"\n## {section}\n")
    table = rest.partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    described = {key for row in rows for key in row.split("`")[1::2]}
    assert described == keys


PRETRAINED = ["training.pretrained=data/models/randomised", "training.channels=[image]"]


def test_a_finished_model_needs_no_training_participants_but_its_contrast():
    assert "say in inference.channels.image which" in rejected(*PRETRAINED)
    everyone = ["curation.validation_fraction=0", "curation.test_fraction=1"]
    parameters = load("demo", [*PRETRAINED, *everyone, "inference.channels={image: in_phase}"])
    assert parameters.curation.test_fraction == 1
