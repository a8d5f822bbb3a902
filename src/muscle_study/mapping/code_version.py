"""The code behind a function, which must be the same wherever and whenever a worker calls it."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from muscle_study.mapping.records import PACKAGE, record_key, sources_of
from muscle_study.protocol.files import sha256


@dataclass(frozen=True)
class Code:
    """Files of this package, and a hash of what they hold.

    Parameters
    ----------
    files
        Names relative to the package.
    digest
        From `digest_of`.
    """

    files: tuple[str, ...]
    digest: str

    @classmethod
    def behind(cls, function: Callable[[Any], dict]) -> Self:
        """Return the code of a function's module and of all that it imports.

        Other stages may be edited while this one runs.
        """
        module = sys.modules[getattr(function, "func", function).__module__]
        source = Path(module.__file__)
        sources = sources_of(source) if PACKAGE in source.parents else ()
        files = tuple(sorted(file.relative_to(PACKAGE).as_posix() for file in sources))
        return cls(files, digest_of(files))


def digest_of(files: Iterable[str]) -> str:
    """Return a hash of files of this package, as they are here now."""
    here = {name: PACKAGE / name for name in files}
    return record_key(
        {name: sha256(file) if file.exists() else None for name, file in here.items()}
    )
