"""The version of the code behind a function, for records and for workers on other machines."""

import hashlib
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from muscle_study.mapping.imports import PACKAGE, module_name, reached
from muscle_study.protocol.files import sha256

#: Packages that no participant's result depends on, and modules in them that it does depend on.
WITHOUT_EFFECT = ("mapping", "protocol", "publishing", "running")
WITH_EFFECT = ("protocol.muscles", "protocol.outcomes")


@dataclass(frozen=True)
class Code:
    """Files of this package and a hash of their contents.

    Parameters
    ----------
    files
        File names relative to the package.
    digest
        Hash as from `digest_of`.
    """

    files: tuple[str, ...]
    digest: str

    @classmethod
    def behind(cls, function: Callable[[Any], dict]) -> Self:
        """Return the code of a function's module and of all modules that it imports.

        Modules of other stages may be edited while this one runs.
        """
        module = sys.modules[getattr(function, "func", function).__module__]
        source = Path(module.__file__)
        sources = sources_of(source) if PACKAGE in source.parents else ()
        files = tuple(sorted(file.relative_to(PACKAGE).as_posix() for file in sources))
        return cls(files, digest_of(files))


def code_digest(module: Path) -> str:
    """Return a hash of a module, given by its file, and of all modules that it imports."""
    return digest_of(sorted(file.relative_to(PACKAGE).as_posix() for file in sources_of(module)))


def digest_of(files: Iterable[str]) -> str:
    """Return a hash of names and present contents of files of this package."""
    digest = hashlib.sha256()
    for name in files:
        file = PACKAGE / name
        digest.update(f"{name} {sha256(file) if file.exists() else None}\n".encode())
    return digest.hexdigest()


def sources_of(module: Path) -> set[Path]:
    """Return a module's file and those of this package that it imports and results depend on."""
    return reached([module], _has_effect)


def _has_effect(file: Path) -> bool:
    name = module_name(file)
    return name.split(".")[0] not in WITHOUT_EFFECT or name in WITH_EFFECT
