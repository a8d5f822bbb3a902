"""Pseudonyms of participants: a keyed hash; the key is kept away from the data."""

import hmac
from collections.abc import Iterable
from pathlib import Path

from muscle_study.protocol.paths import ROOT

#: Least length of a key (bytes).
LEAST_KEY_BYTES = 16

#: Hexadecimal digits of an identifier: two of 30,000 participants share one with probability 2e-11.
DIGITS = 16


def read_key(path: Path) -> bytes:
    """Read the key.

    Raises
    ------
    FileNotFoundError, ValueError
        The key is missing, too short, or in the repository, with which it could be shared.
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
    """Return the pseudonym of each identifier (HMAC-SHA-256, RFC 2104).

    It starts with a letter: spreadsheets would turn some digests into numbers.
    """
    return {
        name: f"p{hmac.new(key, name.encode(), 'sha256').hexdigest()[:DIGITS]}"
        for name in identifiers
    }
