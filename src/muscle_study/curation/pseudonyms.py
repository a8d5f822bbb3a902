"""New identifiers for participants: a keyed hash, whose key is kept away from the data."""

import hmac
from collections.abc import Iterable
from pathlib import Path

from muscle_study.protocol.paths import ROOT

#: A key that cannot be guessed has at least so many bytes.
LEAST_KEY_BYTES = 16

#: Hexadecimal digits of an identifier: two of 30,000 participants share one with probability 2e-11.
DIGITS = 16


def read_key(path: Path) -> bytes:
    """Read the key.

    Raises
    ------
    FileNotFoundError, ValueError
        It is missing, too short, or lies in the repository, with which it might be passed on.
    """
    place = path.expanduser().resolve()
    if place.is_relative_to(ROOT):
        raise ValueError(
            f"curation.pseudonym_key: {place} lies in the repository: keep the key elsewhere"
        )
    if not place.is_file():
        raise FileNotFoundError(
            f"curation.pseudonym_key: there is no file {place}: make one, e.g. by "
            "head -c 32 /dev/urandom > FILE, and keep it for as long as the data"
        )
    key = place.read_bytes()
    if len(key) < LEAST_KEY_BYTES:
        raise ValueError(
            f"curation.pseudonym_key: {place} has {len(key)} bytes, fewer than {LEAST_KEY_BYTES}"
        )
    return key


def pseudonyms(identifiers: Iterable[str], key: bytes) -> dict[str, str]:
    """Return a new identifier for each old one (HMAC-SHA-256, RFC 2104).

    It begins with a letter, or a spreadsheet would turn some of them into numbers.
    """
    return {
        name: f"p{hmac.new(key, name.encode(), 'sha256').hexdigest()[:DIGITS]}"
        for name in identifiers
    }
