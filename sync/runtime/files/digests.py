"""The two check values of everything that is kept: SHA-256 and SM3 (GB/T 32905-2016), taken in one reading.

SM3 comes from the cryptography library, which brings its own implementation: not every system's OpenSSL has one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes

PIECE_BYTES = 1024 * 1024


class CheckValues(NamedTuple):
    """Lower-case hexadecimal, 64 characters each."""

    sha256: str
    sm3: str


class Digests:
    """Both, fed piece by piece. Used by one thread."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._sm3 = hashes.Hash(hashes.SM3())

    def update(self, data: bytes | memoryview) -> None:
        """The next bytes."""
        self._sha256.update(data)
        self._sm3.update(data)

    def checks(self) -> CheckValues:
        """Of all bytes so far; more may follow."""
        return CheckValues(self._sha256.hexdigest(), self._sm3.copy().finalize().hex())


def checks_of(path: Path) -> CheckValues:
    """Of a whole file, read in pieces of `PIECE_BYTES`; raises `OSError`."""
    digests = Digests()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            digests.update(piece)
    return digests.checks()
