"""The kinds of case of a court: those that ship with the product, and its own files in their place or beside them.

Promises: a file that is wrong never keeps a room from starting or a hearing from being opened: the shipped kind serves
in its place, and `faults` says which file is wrong and why. At most `MOST_KINDS` files are read, each bounded.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from sync.cases.kind import KIND_ID, MAX_KIND_BYTES, CaseKind, kind_of_text
from sync.cases.number import kind_by_number
from sync.errors import WutongError
from sync.runtime.files.handwritten import read_text

MOST_KINDS: Final = 64
CIVIL: Final = "civil"
"""The kind of a case that says nothing else."""
_FIRST: Final = ("civil", "criminal", "administrative", "enforcement", "hearing", "committee", "other")


@dataclass(frozen=True, slots=True)
class CaseKinds:
    """The kinds by their id, in the order in which they are offered."""

    kinds: Mapping[str, CaseKind]
    faults: tuple[str, ...] = ()
    """What is wrong with the court's own files, a sentence each."""
    own: frozenset[str] = frozenset()
    """Kinds that are as the court wrote them."""

    def of(self, kind: str, case_no: str = "") -> tuple[str, CaseKind]:
        """(id, kind) of a case: as it says itself, else by its number, else civil."""
        for name in (kind, kind_by_number(case_no) or "", CIVIL):
            if name in self.kinds:
                return name, self.kinds[name]
        raise AssertionError("the civil kind ships with the product")


@cache
def shipped_kinds() -> Mapping[str, CaseKind]:
    """Those of the product."""
    folder = resources.files(__package__) / "kinds"
    return {
        name: kind_of_text((folder / f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml") for name in _FIRST
    }


def read_kinds(folder: Path | None) -> CaseKinds:
    """The kinds with a court's own files in `folder`, which need not be there. Blocks for some milliseconds."""
    kinds = dict(shipped_kinds())
    faults: list[str] = []
    own: set[str] = set()
    for path in _files(folder, faults):
        try:
            if re.fullmatch(KIND_ID, path.stem) is None:
                raise WutongError(
                    f"{path.name} 的文件名只能有小写字母、数字和连字符 (a file's name has small letters, digits and -)"
                )
            kinds[path.stem] = kind_of_text(read_text(path, path.name, most=MAX_KIND_BYTES), path.name)
            own.add(path.stem)
        except WutongError as error:
            faults.append(error.message)
    return CaseKinds(kinds, tuple(faults), frozenset(own))


class KindShelf:
    """The kinds, read again when a file has changed. Blocks for some milliseconds then; one thread at a time."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._read: tuple[object, CaseKinds] | None = None

    def kinds(self) -> CaseKinds:
        """As the files are now."""
        stamp = self._stamp()
        if self._read is None or self._read[0] != stamp:
            self._read = (stamp, read_kinds(self._folder))
        return self._read[1]

    def _stamp(self) -> object:
        stamps: list[tuple[str, int, int]] = []
        for path in _files(self._folder, []):
            with contextlib.suppress(OSError):
                seen = path.stat()
                stamps.append((path.name, seen.st_mtime_ns, seen.st_size))
        return tuple(stamps), self._folder is not None and self._folder.exists()


def _files(folder: Path | None, faults: list[str]) -> list[Path]:
    if folder is None:
        return []
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except FileNotFoundError:
        return []
    except OSError as error:
        faults.append(f"{folder} 读不出：{error.strerror} ({folder} cannot be read: {error.strerror})")
        return []
    if len(found) > MOST_KINDS:
        faults.append(
            f"案件种类文件超过 {MOST_KINDS} 个，其余未读 (more than {MOST_KINDS} files; the others are not read)"
        )
    return found[:MOST_KINDS]
