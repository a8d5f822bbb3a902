"""Corrupt files are read or refused with a reason, fast and in little memory."""

import hashlib
import os
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from fuzzing import mutate, seeds

from muscle_study.curation.sources.dicom import patient_id, read_slices, stack_volume, stacks
from muscle_study.curation.sources.dicom_export import NAKO_TABLE
from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.tables import read_participants
from muscle_study.imaging import volumes
from muscle_study.protocol.exclusions import Excluded

#: Of each kind; `make fuzz` asks for more.
MUTANTS = int(os.environ.get("MUSCLE_STUDY_MUTANTS", "60"))

#: A file may take so long (s), and so much beyond what was there before (bytes).
SECONDS, BYTES = 10, 1 << 30


def read_table(content, tmp_path):
    path = tmp_path / "participants.csv"
    path.write_bytes(content)
    return read_participants(path, NAKO_TABLE, ())


def read_dicom(content, name):
    file = SourceFile(Path(name), content, hashlib.sha256(content).hexdigest())
    patient_id(file)
    return [stack_volume(stack, name) for stack in stacks(read_slices(file))]


@pytest.mark.parametrize("kind", sorted(seeds()))
def test_a_broken_file_is_read_or_refused(kind, tmp_path):
    good = seeds()[kind]
    rng = np.random.default_rng([20261125, len(kind), *kind.encode()])
    refused = 0
    for number in range(MUTANTS):
        content = mutate(good, rng)
        started = time.monotonic()
        try:
            if kind == "csv":
                read_table(content, tmp_path)
            elif kind.startswith("nii"):
                volumes.decode(content, f"{number}.{kind}")
            else:
                read_dicom(content, f"{number}.{kind}")
        except Excluded as excluded:
            assert excluded.reason
            assert excluded.detail
            refused += 1
        except ValueError as error:
            # a table is refused as a whole: the run stops, with the file's name and a remedy
            assert kind == "csv"
            assert "participants.csv: " in str(error)
            refused += 1
        assert time.monotonic() - started < SECONDS, f"mutant {number} of {kind}"
    assert refused > MUTANTS / 5


@pytest.mark.parametrize("kind", sorted(set(seeds()) - {"csv"}))
def test_a_broken_file_claims_little_memory(kind):
    good = seeds()[kind]
    rng = np.random.default_rng([7, *kind.encode()])
    tracemalloc.start()
    for number in range(MUTANTS // 10):
        content = mutate(good, rng)
        tracemalloc.reset_peak()
        try:
            if kind.startswith("nii"):
                volumes.decode(content, "a")
            else:
                read_dicom(content, f"a.{kind}")
        except Excluded:
            pass
        assert tracemalloc.get_traced_memory()[1] < BYTES, f"mutant {number}"
    tracemalloc.stop()
