"""Plain progress: few lines, and an end."""

import pytest

from muscle_study.mapping import progress
from muscle_study.mapping.progress import KEPT_IN, LIVE, PLAIN, Progress
from muscle_study.protocol.files import read_json
from muscle_study.running.terminal import BAR_WIDTH, bar


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.setenv(PLAIN, "lines")
    monkeypatch.delenv(KEPT_IN, raising=False)


def test_short_work_says_only_how_it_ended(capsys):
    with Progress("curation", 3) as shown:
        shown.advance(earlier=True)
        shown.advance(reason="no_images")
        shown.advance()
    assert capsys.readouterr().out == "curation 3/3 · 1 excluded · 1 done before\n"


def test_long_work_says_how_far_it_is(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    with Progress("training epoch", 2) as shown:
        shown.advance(note="loss 0.5")
        shown.advance()
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("training epoch 1/2 · ")
    assert " a second · " in first
    assert first.endswith("s left · loss 0.5")
    assert last == "training epoch 2/2"


def test_time_left_goes_by_what_this_run_does(capsys, monkeypatch):
    """Participants finished earlier do not affect the estimate of the remaining time."""
    monkeypatch.setattr(progress, "LIVE_SECONDS", 0.0)
    monkeypatch.setenv(PLAIN, LIVE)
    with Progress("inference", 100) as shown:
        for _ in range(90):
            shown.advance(earlier=True)
        shown.started -= 3600  # spent on finding the 90, and in a queue
        shown.began -= 28
        shown.advance()
    assert capsys.readouterr().out.splitlines()[-2].endswith(" · 2.1 a minute · 4 min left")
    assert progress._duration(270) == "4 min"
    assert progress._duration(4000) == "1 h 7 min"


def test_a_log_of_days_stays_short(monkeypatch):
    shown = Progress("inference", 10)
    assert shown._between() == progress.LOG_SECONDS
    shown.started -= 86_400
    assert shown._between() == progress.MOST_SECONDS


def test_what_status_reads(tmp_path, monkeypatch):
    monkeypatch.setenv(KEPT_IN, str(tmp_path / "progress.json"))
    with Progress("inference", 3) as shown:
        for reason in ("time_limit", None, "time_limit"):
            shown.advance(reason)
    kept = read_json(tmp_path / "progress.json")
    assert kept["said"] == "inference 3/3 · 2 excluded"
    assert kept["excluded"] == {"time_limit": 2}


def test_progress_that_cannot_be_kept_ends_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    (tmp_path / "file").touch()
    monkeypatch.setenv(KEPT_IN, str(tmp_path / "file" / "run" / "progress.json"))
    with Progress("inference", 3) as shown:
        for _ in range(3):
            shown.advance()
    said = capsys.readouterr().out
    assert said.count("progress.json cannot be written (Not a directory)") == 1
    assert said.endswith("inference 3/3\n")


@pytest.mark.parametrize(("said", "full"), [("a 0/4", 0), ("a 1/4 · x", 5), ("a 4/4", 20)])
def test_a_terminal_gets_a_bar(said, full):
    assert bar(said) == "█" * full + "░" * (BAR_WIDTH - full)


def test_no_count_no_bar():
    assert bar("Dask dashboard: http://localhost:8787/status") == ""
