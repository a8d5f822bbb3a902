"""Unsafe files are refused with a reason, within limits of time and memory."""

import gzip
import io
import os
import struct
import tracemalloc
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from muscle_study.curation.sources import intake
from muscle_study.curation.sources.intake import SourceFile, unzip
from muscle_study.imaging import volumes
from muscle_study.protocol.exclusions import Excluded


def zip_of(members, compression=zipfile.ZIP_DEFLATED):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return written.getvalue()


def refused(content):
    with pytest.raises(Excluded) as excluded:
        list(unzip(content, "a.zip"))
    return str(excluded.value)


def test_members_are_read_without_touching_the_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = zip_of({"a/1.dcm": b"one", "2.dcm": b"two"})
    assert list(unzip(content, "a.zip")) == [("a/1.dcm", b"one"), ("2.dcm", b"two")]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name", ["../up.dcm", "/etc/passwd", "a/../../b", "..\\up.dcm", "C:/b.dcm"]
)
def test_names_that_lead_out_are_refused(name):
    assert "unsafe_file: a.zip" in refused(zip_of({name: b"x"}))
    assert "leads out of the archive" in refused(zip_of({name: b"x"}))


def test_a_link_in_an_archive_is_refused():
    entry = zipfile.ZipInfo("link.dcm")
    entry.external_attr = 0o120777 << 16
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert "is a link" in refused(written.getvalue())


def test_a_bomb_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(intake, "MAX_UNPACKED_BYTES", 1 << 20)
    content = zip_of({f"{number}.dcm": bytes(300_000) for number in range(10)})
    assert len(content) < 10_000
    tracemalloc.start()
    assert "unpacks to over 1048576 bytes" in refused(content)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_an_archive_that_understates_its_sizes_is_refused():
    content = bytearray(zip_of({"1.dcm": bytes(100_000)}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = content.index(signature) + offset
        content[place : place + 4] = struct.pack("<I", 10)
    assert "unreadable_image: a.zip: Bad CRC-32" in refused(bytes(content))


def test_an_archive_that_overstates_its_sizes_is_refused():
    content = bytearray(zip_of({"1.dcm": b"short"}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = content.index(signature) + offset
        content[place : place + 4] = struct.pack("<I", 2**32 - 2)
    assert "states a size of 4294967294 bytes" in refused(bytes(content))


def test_too_many_members_are_refused(monkeypatch):
    monkeypatch.setattr(intake, "MAX_MEMBERS", 3)
    assert "4 files in an archive" in refused(zip_of(dict.fromkeys("abcd", b"")))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", zip_of({"a": b"x" * 99})[:-30]])
def test_what_is_no_whole_archive_is_unreadable(content):
    assert refused(content).startswith("unreadable_image: a.zip")


def test_encrypted_and_exotic_members_are_refused():
    encrypted = bytearray(zip_of({"1.dcm": b"x"}))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    assert "is encrypted" in refused(bytes(encrypted))
    assert "is compressed by method 14" in refused(zip_of({"1.dcm": b"x"}, zipfile.ZIP_LZMA))


def test_a_link_within_the_export_is_followed_and_one_out_of_it_is_not(tmp_path):
    export = tmp_path / "export"
    export.mkdir()
    (tmp_path / "secret").write_text("no scan")
    (export / "real").write_text("scan")
    (export / "inside").symlink_to("real")
    (export / "outside").symlink_to(tmp_path / "secret")
    assert SourceFile.read(export / "inside", export).content == b"scan"
    with pytest.raises(Excluded, match="unsafe_file: outside: a link that leaves the export"):
        SourceFile.read(export / "outside", export)


@pytest.mark.parametrize("target", ["circle", "nothing"])
def test_links_that_lead_nowhere_are_unreadable(tmp_path, target):
    (tmp_path / "circle").symlink_to(target)
    with pytest.raises(Excluded, match="unreadable_image: circle"):
        SourceFile.read(tmp_path / "circle", tmp_path)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.dcm")
    with pytest.raises(Excluded, match=r"unsafe_file: pipe.dcm: not a plain file"):
        SourceFile.read(tmp_path / "pipe.dcm", tmp_path)


def test_a_file_too_large_for_a_scan_is_not_read(tmp_path):
    with (tmp_path / "big.zip").open("wb") as sparse:
        sparse.truncate(intake.MAX_FILE_BYTES + 1)
    with pytest.raises(Excluded, match=r"unsafe_file: big.zip: \d+ bytes"):
        SourceFile.read(tmp_path / "big.zip", tmp_path)


def nifti(shape=(4, 5, 6), **header):
    image = nib.Nifti1Image(np.ones(shape, np.int16), np.eye(4))
    content = bytearray(image.to_bytes())
    for start, packed in header.items():
        place = int(start.removeprefix("at_"))
        content[place : place + len(packed)] = packed
    return bytes(content)


#: Where the NIfTI-1 header holds the number of dimensions, the type, and where voxels begin.
DIM, DATATYPE, OFFSET = "at_40", "at_70", "at_108"


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "header",
    [
        {DIM: struct.pack("<4h", 3, 32767, 32767, 32767)},
        {DIM: struct.pack("<4h", 3, 4000, 4000, 4000)},
        {DIM: struct.pack("<4h", 3, -1, 5, 6)},
        {OFFSET: struct.pack("<f", 1e30)},
        {OFFSET: struct.pack("<f", float("nan"))},
        {DIM: struct.pack("<4h", 3, 40, 50, 60)},  # more than there is
        {DATATYPE: struct.pack("<h", 999)},
        {DATATYPE: struct.pack("<h", 128)},  # colours
        {DIM: struct.pack("<h", 300)},
    ],
)
def test_nifti_headers_that_cannot_be_are_refused_without_memory(header, packed):
    content = nifti(**header)
    tracemalloc.start()
    with pytest.raises(Excluded):
        volumes.decode(gzip.compress(content) if packed else content, "a.nii")
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_a_gzip_bomb_behind_a_small_header_is_refused(monkeypatch):
    content = gzip.compress(nifti() + bytes(64 << 20))
    assert len(content) < 100_000
    tracemalloc.start()
    with pytest.raises(Excluded, match=r"unsafe_file: a\.nii\.gz: unpacks"):
        volumes.decode(content, "a.nii.gz")
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_archives_are_told_by_content_or_name():
    assert SourceFile(Path("a"), zip_of({"b": b""}), "").is_zip
    assert SourceFile(Path("a.ZIP"), b"", "").is_zip
    assert not SourceFile(Path("a.dcm"), b"", "").is_zip
