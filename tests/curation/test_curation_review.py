"""Every participant has a picture, and reviewers' verdicts take effect."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from muscle_study.curation.checks.quality import COLUMNS
from muscle_study.curation.review.gallery import CHUNK, Entry, entries, write_gallery
from muscle_study.curation.review.mosaic import GAP, PLANES, WIDTH, columns, draw
from muscle_study.curation.review.verdicts import read_verdicts
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import image_file

# ---- pictures


@pytest.fixture
def right_upper_front():
    """A volume stored in RAS, bright at the right, the head and the front."""
    data = np.zeros((40, 30, 50), np.int16)
    data[30:, :, 40:] = 900  # in the coronal plane
    data[30:, 20:, :] = 900  # in the axial ones
    return Volume(data, np.diag([3.0, 3.0, 3.0, 1.0]))


@pytest.mark.parametrize("turn", [[1, 1, 1], [-1, -1, 1], [1, -1, -1]])
def test_the_right_is_on_the_left_and_the_head_above(right_upper_front, tmp_path, turn):
    stored = Volume(
        right_upper_front.data[tuple(slice(None, None, way) for way in turn)],
        right_upper_front.affine @ np.diag([*turn, 1]),
    )
    draw({"image": stored}, tmp_path / "p.webp")
    picture = np.asarray(Image.open(tmp_path / "p.webp").convert("L"))
    for column, (_, _, _, height) in enumerate(PLANES):
        tile = picture[:, column * (WIDTH + GAP) :][:, :WIDTH]
        assert np.mean(tile[:, : WIDTH // 2]) > 2 * np.mean(tile[:, WIDTH // 2 :])
        assert np.mean(tile[: len(tile) // 2]) > 1.2 * np.mean(tile[len(tile) // 2 :])
        assert height <= len(tile)


def test_a_column_is_a_contrast_or_of_a_few_contrasts_a_plane(right_upper_front, tmp_path):
    sizes = {}
    for n in (1, 4):
        names = ["water", "fat", "in_phase", "opposed_phase"][:n]
        draw(dict.fromkeys(names, right_upper_front), tmp_path / f"{n}.webp")
        sizes[n] = Image.open(tmp_path / f"{n}.webp").width
        assert sizes[n] == len(columns(names)) * (WIDTH + GAP) - GAP
    assert columns(["water", "fat", "in_phase", "opposed_phase"])[-1] == "opposed phase"
    assert columns(["image"])[0] == "coronal"


def test_a_blank_or_flat_image_is_drawn(tmp_path):
    blank = Volume(np.zeros((5, 5, 1), np.float32), np.eye(4))
    draw({"image": blank}, tmp_path / "p.webp")
    assert not np.asarray(Image.open(tmp_path / "p.webp")).any()


# ---- verdicts


def verdicts_file(tmp_path, text):
    path = tmp_path / "verdicts.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "text",
    [
        'participant_id,verdict,reviewer,comment\n1,accept,NN,\n2,exclude,,"moved, much"\n3,,,\n',
        "\ufeffparticipant_id;verdict;reviewer;comment\r\n"
        "1;Accept ;NN;\r\n2;EXCLUDE;;moved, much\r\n",
    ],
    ids=["commas", "a spreadsheet's semicolons"],
)
def test_verdicts_are_read(tmp_path, text):
    read = read_verdicts(verdicts_file(tmp_path, text))
    assert read.to_numpy().tolist() == [
        ["1", "accept", "NN", ""], ["2", "exclude", "", "moved, much"]
    ]  # fmt: skip


def test_reviewer_and_comment_need_not_be_there(tmp_path):
    read = read_verdicts(verdicts_file(tmp_path, "participant_id,verdict\n1,exclude\n"))
    assert read.to_numpy().tolist() == [["1", "exclude", "", ""]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no file"),
        ("participant_id\n1\n", "column verdict is missing"),
        ("participant_id,verdict\n1,accept\n2,maybe\n", "line 3: 'maybe' is not accept or exclude"),
        ("participant_id,verdict\n1,accept\n1,exclude\n", "line 3: a second verdict on 1"),
        ("\x00\xff", "not a CSV table|column"),
        ("", "not a CSV table"),
    ],
)
def test_verdicts_that_cannot_be_read_stop_the_run(tmp_path, text, message):
    path = str(tmp_path / "verdicts.csv") if text is None else verdicts_file(tmp_path, text)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        read_verdicts(path)


# ---- the stage


NO_REVIEW = pd.DataFrame(columns=["participant_id", "verdict", "reviewer", "comment"])


def read_index(folder):
    text = (folder / "entries" / "index.js").read_text()
    return json.loads(text.removeprefix("review.index(").removesuffix(");\n"))


def pictures(paths):
    return sorted(path.stem for path in (paths.curated / "qc" / "pictures").iterdir())


def test_verdicts_are_honoured_and_can_be_taken_back(export, curate, paths, done, tmp_path):
    export.image("100003", "fat").write_bytes(b"broken")
    before = curate()
    assert before.review["outcome"].tolist() == ["not_looked_at"] * 4
    done.clear()
    given = verdicts_file(
        tmp_path,
        "participant_id,verdict,reviewer,comment\n"
        "100001,accept,NN,\n100002,exclude,NN,moved\n"
        "100003,accept,NN,looks fine\n999999,accept,,\n",
    )

    after = curate(verdicts=given)

    assert after.exclusions[["participant_id", "reason", "detail"]].iloc[0].tolist() == [
        "100002", "reviewer", "moved"
    ]  # fmt: skip
    assert read_table(paths.curated / "participants.csv")["participant_id"].tolist() == [
        "100001", "100004", "100005"
    ]  # fmt: skip
    review = read_table(paths.curated / "review.csv").set_index("participant_id")["outcome"]
    assert review.to_dict() == {
        "100001": "accepted",
        "100002": "excluded",
        "100003": "without_effect",
        "100004": "not_looked_at",
        "100005": "not_looked_at",
        "999999": "unknown",
    }
    people = read_table(paths.curated / "excluded_people.csv")
    assert people[["participant_id", "sex"]].to_numpy().tolist() == [
        ["100002", "female"], ["100003", "male"]
    ]  # fmt: skip
    index = read_index(paths.curated / "qc")
    assert index["ids"][:2] == ["100002", "100003"] and index["state"][:2] == [0, 0]
    assert index["verdicts"]["100002"] == ["exclude", "NN", "moved"]
    assert image_file(paths.curated / "images" / "100002", "water").exists()

    again = curate()
    assert again.participants.equals(before.participants)
    assert "100002" not in done, "a verdict that is taken back curates nobody again"


def test_the_excluded_are_shown_where_an_image_can_be_read(export, curate, paths):
    export.image("100003", "fat").write_bytes(b"broken")
    for contrast in ("water", "fat"):
        export.image("100004", contrast).write_bytes(b"broken")
    curate()
    assert pictures(paths) == ["100001", "100002", "100003", "100005"]
    index = read_index(paths.curated / "qc")
    assert index["ids"][:2] == ["100003", "100004"] and index["picture"][:2] == [1, 0]
    width = Image.open(paths.curated / "qc" / "pictures" / "100003.webp").width
    assert width == len(columns(["water"])) * (WIDTH + GAP) - GAP


def test_who_withdrew_is_not_shown(export, curate, paths, tmp_path):
    curate()
    listed = tmp_path / "withdrawn.txt"
    listed.write_text("100002\n")
    curate(withdrawn=str(listed))
    assert "100002" not in pictures(paths)
    assert "100002" not in "".join(
        path.read_text() for path in (paths.curated / "qc" / "entries").iterdir()
    )


def test_a_lost_picture_is_drawn_again_with_the_same_bytes(export, curate, paths):
    curate()
    picture = paths.curated / "qc" / "pictures" / "100001.webp"
    before = picture.read_bytes()
    picture.unlink()
    curate()
    assert picture.read_bytes() == before


# ---- the page's data


def test_what_is_known_of_everyone_is_told_once_and_the_worst_state_counts():
    participants = pd.DataFrame({"participant_id": ["1", "2", "4"]})
    exclusions = pd.DataFrame(
        [("3", "curation", "reviewer", "dark"), ("5", "curation", "consent_withdrawn", "")],
        columns=["participant_id", "stage", "reason", "detail"],
    )
    corrections = pd.DataFrame(
        [("2", "water_fat_swap", "whole"), ("3", "water_fat_swap", "station 2")],
        columns=["participant_id", "correction", "evidence"],
    )
    quality = pd.DataFrame({"participant_id": ["1", "2", "3", "4"], "noise": [0.1, 0.2, 0.3, 0.4]})
    quality = quality.reindex(columns=COLUMNS).assign(flags=["", "noise; motion", "", "noise"])
    swap = "water and fat exchanged back"
    assert entries(participants, exclusions, corrections, quality) == {
        "1": Entry(rank=0.25),
        "2": Entry(
            "corrected",
            [(swap, "whole"), ("much noise", "0.2"), ("movement during the scan", "nan")],
            0.5,
        ),
        "3": Entry("excluded", [("excluded by a reviewer", "dark"), (swap, "station 2")], 0.75),
        "4": Entry("flagged", [("much noise", "0.4")], 1.0),
    }


def test_the_worst_come_first(tmp_path):
    found = {
        "1": Entry(rank=0.2),
        "2": Entry(rank=0.9),
        "3": Entry("flagged", rank=0.1),
        "4": Entry("corrected", rank=0.1),
        "5": Entry("excluded", rank=0.0),
        "6": Entry("excluded", rank=0.0),
    }
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "6.webp").touch()
    write_gallery(tmp_path, found, NO_REVIEW, ["image"], "Review")
    assert read_index(tmp_path)["ids"] == ["6", "5", "4", "3", "2", "1"]


def test_details_are_in_scripts_of_many(tmp_path):
    found = {
        f"{n:06}": Entry("excluded", [("reviewer", f"</script> {n}")]) for n in range(CHUNK + 1)
    }
    write_gallery(tmp_path, found, NO_REVIEW, ["image"], "Review")
    names = sorted(path.name for path in (tmp_path / "entries").iterdir())
    assert names == ["0.js", "1.js", "index.js"]
    assert (tmp_path / "entries" / "1.js").read_text() == (
        f'review.details(1,[["</script> {CHUNK}"]]);\n'
    )
