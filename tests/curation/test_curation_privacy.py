"""Curation's outputs contain no names, identifiers or dates of headers, and no withdrawn data."""

import gzip

import pytest
from test_curation_heaps import dixon_series, pair

from muscle_study.curation.pseudonyms import pseudonyms
from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import ROOT

SECRETS = {
    "PatientName": "Canary^Carla", "PatientBirthDate": "19610203", "StudyDate": "20190405",
    "AccessionNumber": "CANARY77", "InstitutionName": "Canary Clinic", "OperatorsName": "Canary^O",
    "ReferringPhysicianName": "Canary^R", "PatientComments": "canary comment",
    "StudyDescription": "canary study", "OtherPatientIDs": "CANARY88",
}  # fmt: skip


@pytest.fixture
def heap(tmp_path):
    folder = tmp_path / "heap" / "CANARY_CARLA"
    folder.mkdir(parents=True)
    for seed, patient in enumerate(("777001", "777002")):
        for number, content in enumerate(dixon_series(pair(seed), patient, **SECRETS)):
            (folder / f"CANARY_{patient}_{number}.dcm").write_bytes(content)
    broken = dixon_series(pair(9), "777003", **SECRETS)[0][:-9]
    (folder / "CANARY_777003_0.dcm").write_bytes(broken)
    return folder.parent


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(bytes(range(32)))
    return str(path)


def everything_in(folder):
    for path in folder.rglob("*"):
        yield str(path.relative_to(folder)).encode()
        if path.is_file():
            content = path.read_bytes()
            yield gzip.decompress(content) if path.suffix == ".gz" else content


def test_nothing_of_a_header_reaches_the_curated_folder(heap, key, curate, paths):
    after = curate(layout="dicom", source=str(heap), pseudonym_key=key)
    assert len(after.participants) == 2
    assert after.exclusions["reason"].tolist() == ["unreadable_image"]
    found = b"\n".join(everything_in(paths.curated)).lower()
    for secret in ("canary", "carla", "19610203", "20190405", "777001", "777002", "777003"):
        assert secret.encode() not in found, secret


def test_without_a_key_headers_stay_out_as_well(heap, curate, paths):
    curate(layout="dicom", source=str(heap))
    found = b"\n".join(everything_in(paths.curated))
    for secret in (b"Canary", b"19610203", b"20190405", b"CANARY77", b"CANARY88"):
        assert secret not in found, secret


def test_a_key_gives_the_same_names_each_time_and_another_key_others(key):
    one, again = (pseudonyms(["1", "2"], bytes(range(32))) for _ in range(2))
    other = pseudonyms(["1", "2"], bytes(range(1, 33)))
    assert one == again
    assert len({*one.values(), *other.values()}) == 4
    assert all(name[0] == "p" and len(name) == 17 for name in one.values())


@pytest.mark.parametrize(
    ("place", "content", "message"),
    [
        (ROOT / "params" / "secret.key", None, "lies in the repository"),
        ("short", b"1234", "has 4 bytes, fewer than 16"),
        ("missing", None, "there is no file"),
    ],
)
def test_a_key_that_cannot_be_used_stops_the_run(export, curate, tmp_path, place, content, message):
    path = tmp_path / place
    if content is not None:
        path.write_bytes(content)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        curate(pseudonym_key=str(path))


def test_who_withdrew_is_gone_and_counted(export, curate, paths, tmp_path):
    curate()
    listed = tmp_path / "withdrawn.txt"
    listed.write_text("100002\n100005\n999999\n")
    after = curate(withdrawn=str(listed))
    assert after.exclusions[["participant_id", "reason"]].values.tolist() == [
        ["100002", "consent_withdrawn"], ["100005", "consent_withdrawn"],
    ]  # fmt: skip
    assert after.about["source_participants"] == 5
    assert after.about["unmatched_withdrawals"] == 1  # 999999 is not in the export
    assert not [path for path in paths.curated.rglob("*") if "100002" in path.name]
    assert "100002" not in read_table(paths.curated / "inventory.csv")["participant_id"].tolist()


@pytest.mark.parametrize(
    ("content", "message"), [(None, "there is no file"), ("1 2\n", "'1 2' is no identifier")]
)
def test_a_list_of_withdrawals_that_cannot_be_read_stops_the_run(
    export, curate, tmp_path, content, message
):
    listed = tmp_path / "withdrawn.txt"
    if content is not None:
        listed.write_text(content)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        curate(withdrawn=str(listed))
