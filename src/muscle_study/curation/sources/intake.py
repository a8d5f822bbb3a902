"""Untrusted bytes of an export: read within limits and unpacked in memory.

Nothing is extracted to disk, so that no name in an archive can lead anywhere.
"""

import errno
import hashlib
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from muscle_study.protocol.exclusions import Excluded, Reason

#: Largest file accepted as part of a scan (bytes).
MAX_FILE_BYTES = 1 << 29

#: Largest unpacked size (bytes) and number of files of an archive. A NAKO series of four stations
#: has about 180 files and 30 MB.
MAX_UNPACKED_BYTES = 1 << 29
MAX_MEMBERS = 20_000

#: Read errors that no retry can cure.
OF_THE_FILE = {errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG, errno.EISDIR}

ZIP_MAGIC = b"PK\x03\x04"


@dataclass(frozen=True)
class SourceFile:
    """A file of the export, read once.

    Parameters
    ----------
    path
        Path of the file.
    content
        Its bytes.
    sha256
        Their SHA-256 as hexadecimal digits.
    """

    path: Path
    content: bytes
    sha256: str

    @classmethod
    def read(cls, path: Path, export: Path) -> "SourceFile":
        """Read a file of an export.

        Raises
        ------
        Excluded
            ``unsafe_file``: a link out of `export`, not a regular file, or too large;
            ``unreadable_image``: permission denied, or a dangling or circular link.
        OSError
            A transient error of the file system.
        """
        try:
            real = path.resolve(strict=True)
            if not real.is_relative_to(export.resolve()):
                raise Excluded(Reason.UNSAFE_FILE, f"{path.name}: a link that leaves the export")
            state = real.stat()
            if not stat.S_ISREG(state.st_mode):
                raise Excluded(Reason.UNSAFE_FILE, f"{path.name}: not a plain file")
            if state.st_size > MAX_FILE_BYTES:
                raise Excluded(Reason.UNSAFE_FILE, f"{path.name}: {state.st_size} bytes")
            content = real.read_bytes()
        except (OSError, RuntimeError) as error:  # RuntimeError: links that go round in a circle
            if isinstance(error, OSError) and not (error.errno in OF_THE_FILE or path.is_symlink()):
                raise
            problem = getattr(error, "strerror", None) or str(error)
            raise Excluded(Reason.UNREADABLE_IMAGE, f"{path.name}: {problem}") from error
        return cls(path, content, hashlib.sha256(content).hexdigest())

    @property
    def is_zip(self) -> bool:
        """Whether its content or its name is that of a zip archive."""
        return self.content.startswith(ZIP_MAGIC) or self.path.suffix.lower() == ".zip"

    def members(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of each file in a zip, or of the file itself."""
        if self.is_zip:
            yield from unzip(self.content, self.path.name)
        else:
            yield self.path.name, self.content


def unzip(content: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file in an archive; `name` is for messages.

    Sizes stated in the archive are not trusted: bytes are counted while unpacking.

    Raises
    ------
    Excluded
        ``unsafe_file``: too many or too large files, names that lead out of the archive, links,
        encryption, unusual compression; ``unreadable_image``: a damaged archive.
    """
    left = MAX_UNPACKED_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [e for e in archive.infolist() if not e.filename.endswith("/")]
            if len(entries) > MAX_MEMBERS:
                raise Excluded(Reason.UNSAFE_FILE, f"{name}: {len(entries)} files in an archive")
            for entry in entries:
                _check_entry(entry, name)
                with archive.open(entry) as packed:
                    unpacked = packed.read(left + 1)
                left -= len(unpacked)
                if left < 0:
                    raise Excluded(
                        Reason.UNSAFE_FILE, f"{name}: unpacks to over {MAX_UNPACKED_BYTES} bytes"
                    )
                yield entry.filename, unpacked
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        OverflowError,
        struct.error,
        NotImplementedError,
    ) as error:
        raise Excluded(Reason.UNREADABLE_IMAGE, f"{name}: {error}") from error


def _check_entry(entry: zipfile.ZipInfo, name: str) -> None:
    inside = PurePosixPath(entry.filename.replace("\\", "/"))
    problem = None
    if not inside.parts:
        problem = "is not a name"
    elif inside.is_absolute() or ".." in inside.parts or ":" in inside.parts[0]:
        problem = "leads out of the archive"
    elif stat.S_ISLNK(entry.external_attr >> 16):
        problem = "is a link"
    elif entry.flag_bits & 1:
        problem = "is encrypted"
    elif entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        problem = f"is compressed by method {entry.compress_type}"
    elif entry.file_size > MAX_UNPACKED_BYTES:
        problem = f"states a size of {entry.file_size} bytes"
    if problem:
        raise Excluded(Reason.UNSAFE_FILE, f"{name}: {entry.filename!r} {problem}")
