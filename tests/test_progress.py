"""Plain progress: few lines, and an end."""

import pytest

from muscle_study import progress
from muscle_study.progress import PLAIN, Progress


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.setenv(PLAIN, "1")


def test_short_work_says_only_how_it_ended(capsys):
    with Progress("curation", 3) as shown:
        for failed in (False, True, False):
            shown.advance(failed)
    assert capsys.readouterr().out == "curation 3/3 · 1 excluded\n"


def test_long_work_says_how_far_it_is(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    with Progress("training epoch", 2) as shown:
        shown.advance(note="loss 0.5")
        shown.advance()
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("training epoch 1/2 · ")
    assert first.endswith("s left · loss 0.5")
    assert last == "training epoch 2/2"
