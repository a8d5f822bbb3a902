"""Mutated exports from a seed, as from a damaged disk or an attacker."""

import gzip
import io
import struct
import zipfile

import nibabel as nib
import numpy as np
from dicom_files import enhanced, single_frames

from muscle_study.imaging.volumes import Volume

AFFINE = np.array([[-3.0, 0, 0, 30], [0, -3, 0, 24], [0, 0, 5, -10], [0, 0, 0, 1]])
TABLE = (
    b"ID;basis_age;basis_sex;a_anthro_groe_q;a_anthro_gew_q;a_anthro_bmi_q\n"
    b"100001;40;1;180,5;80,0;24,55\n100002;7777;2;165,0;61,25;22,5\n"
)

#: What numbers in headers are overwritten with.
EXTREMES = [
    b"\x00" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\x01\x00\x00\x00",
    struct.pack("<f", float("nan")), struct.pack("<f", float("inf")), struct.pack("<f", -1e30),
]  # fmt: skip


def seeds():
    """Return a good file of each kind, by ending."""
    data = np.random.default_rng(0).integers(1, 500, (6, 5, 4)).astype(np.int16)
    volume = Volume(data, AFFINE)
    image = nib.Nifti1Image(data, AFFINE).to_bytes()
    slices = single_frames(volume, EchoTime=2.46)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        for number, content in enumerate(slices):
            written.writestr(f"{number}.dcm", content)
    return {
        "dcm": slices[0],
        "multi.dcm": enhanced({("WATER", 1.23): volume, ("FAT", 1.23): volume}),
        "zip": archive.getvalue(),
        "nii": image,
        "nii.gz": gzip.compress(image, mtime=0),
        "csv": TABLE,
    }


def mutate(content, rng):
    """Return the content with one to four accidents."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        if not content:
            break
        # headers come first, and an archive's directory last: most accidents happen there
        share = rng.choice([rng.random() ** 3, rng.random(), 1 - rng.random() ** 3])
        place = min(int(len(content) * share), len(content) - 1)
        match rng.integers(7):
            case 0:
                content[place] ^= 1 << int(rng.integers(8))
            case 1:
                content[place : place + 4] = EXTREMES[rng.integers(len(EXTREMES))]
            case 2:
                del content[place:]
            case 3:
                del content[place : place + int(rng.integers(1, 64))]
            case 4:
                content[place:place] = rng.bytes(int(rng.integers(1, 64)))
            case 5:
                piece = content[place : place + int(rng.integers(1, 256))]
                content[place:place] = piece * int(rng.integers(1, 50))
            case 6:
                content[place : place + 2] = struct.pack("<H", int(rng.integers(1 << 16)))
    return bytes(content)
