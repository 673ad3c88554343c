"""The form of an export: which paths it may have, its index, and the note with which who exported signs it.

`wutong export` writes exactly this and `wutong verify` takes nothing else but the forms before it. `FORM` names all
that a verifier makes again and compares: paths, index, leaves, `certificate.json`, `signing.json` and `transcript.*`.
JSON that comes from outside is read by `read_json` alone: bounded, no key twice, no NaN, no deep nesting.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from sync.errors import LedgerError
from sync.text.strict_json import UnreadableError, read_strict

FORM = "wutong-export/3"
"""Raise it when a fact, a word or a byte of what is compared changes, and keep the renderers of the forms before it for
the verifier: an honest export must never become false because the program has gone on."""
FIRST = "wutong-export/1"
"""Without signatures and documents; its words know one kind of revision."""
SECOND = "wutong-export/2"
"""What people wrote stands in `transcript.txt` as it is, with the ends of its lines."""
KNOWN = (FIRST, SECOND, FORM)
INDEX = "index.json"
SIGNATURE = "index.json.sig"
LEAVES = "ledger/leaves.jsonl"
PROOFS = "ledger/proofs.jsonl"
CHECKPOINTS = "ledger/checkpoints.jsonl"
DEVICE = "ledger/device.pem"
TOKEN = "ledger/seal.tsr"  # noqa: S105 (a time-stamp, no secret)
CERTIFICATE = "certificate.json"
SIGNING = "signing.json"

MAX_INDEX_BYTES = 64 * 1024 * 1024
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_FIRST_PATHS = re.compile(
    rf"media/{NAME}/[0-9]{{5,7}}\.mp4"
    r"|exhibits/[0-9a-f]{64}"
    r"|ledger/(leaves|proofs|checkpoints)\.jsonl|ledger/device\.pem|ledger/seal\.tsr"
    r"|transcript\.(json|txt|srt)|(certificate|explanation)\.(json|pdf|txt)"
    rf"|play/(seats/)?{NAME}"
)
_MORE_PATHS = re.compile(r"transcript\.vtt|signing\.json|documents/[0-9a-f]{64}\.(docx|pdf|srt|vtt|json)")
_FAMILY = "wutong-export/"
_ORIGIN = re.compile(r"[a-z0-9-]{1,40}/[a-z0-9-]{1,40}/[A-Za-z0-9][A-Za-z0-9._:-]{0,95}")
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the folder."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Index:
    """`index.json`. `excerpt` is (from, to) in room time, None for a whole hearing."""

    room: str
    hearing: str
    by: str
    """`room` or `center`."""
    exported_utc: str
    leaves: int
    files: tuple[Entry, ...]
    excerpt: tuple[int, int] | None = None
    form: str = FORM

    def to_bytes(self) -> bytes:
        """As it is written and signed."""
        value: dict[str, Any] = {
            "form": self.form,
            "room": self.room,
            "hearing": self.hearing,
            "by": self.by,
            "exported_utc": self.exported_utc,
            "leaves": self.leaves,
            "excerpt": None
            if self.excerpt is None
            else {"from_ns": str(self.excerpt[0]), "to_ns": str(self.excerpt[1])},
            "files": [{"path": f.path, "bytes": f.bytes, "sha256": f.sha256} for f in self.files],
        }
        return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> Index:
        """Read what `to_bytes` wrote; `LedgerError` for anything else, a path that an export never has included.

        An index of another form is not read any further: code `form`, and the message is the form.
        """
        value = read_json(data)
        form = value.get("form") if isinstance(value, dict) else None
        if isinstance(form, str) and form.startswith(_FAMILY) and form not in KNOWN:
            raise LedgerError(form[:40], code="form")
        if form not in KNOWN:
            raise LedgerError("index.json does not say that it is of an export", code="index")
        try:
            excerpt = value["excerpt"]
            files = tuple(Entry(_text(f["path"]), _whole(f["bytes"]), _text(f["sha256"])) for f in value["files"])
            index = cls(
                room=_text(value["room"]),
                hearing=_text(value["hearing"]),
                by=_text(value["by"]),
                exported_utc=_text(value["exported_utc"]),
                leaves=_whole(value["leaves"]),
                files=files,
                excerpt=None if excerpt is None else (int(_text(excerpt["from_ns"])), int(_text(excerpt["to_ns"]))),
                form=form,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise LedgerError(f"index.json is not the index of an export: {error}", code="index") from error
        if not _ORIGIN.fullmatch(f"{index.room}/{index.hearing}"):
            raise LedgerError("index.json names no hearing of a room", code="index")
        for file in files:
            if not is_path(file.path, form) or not _HEX.fullmatch(file.sha256):
                raise LedgerError(f"index.json lists a file that no export has: {file.path[:80]!r}", code="path")
        if len({f.path for f in files}) != len(files):
            raise LedgerError("index.json lists a file twice", code="path")
        return index


def is_path(path: str, form: str = FORM) -> bool:
    """Whether an export of this form may have a file of this name."""
    more = form != FIRST and _MORE_PATHS.fullmatch(path) is not None
    return (more or _FIRST_PATHS.fullmatch(path) is not None) and ".." not in path


def media_path(track: str, index: int) -> str:
    """Where a segment is."""
    return f"media/{track}/{index:05d}.mp4"


def document_path(sha256: str, kind: str) -> str:
    """Where a document of signed words is."""
    return f"documents/{sha256}.{kind}"


def note_text(room: str, hearing: str, sha256: str) -> str:
    """What who exported signs: the SHA-256 of `index.json` and of which hearing it is."""
    return f"wutong export\n{room}/{hearing}\nindex.json sha256 {sha256}\n"


def read_json(data: bytes, *, limit: int = MAX_INDEX_BYTES) -> Any:
    """JSON from outside; `LedgerError` when it is too large, too deep, ambiguous or no JSON."""
    try:
        return read_strict(data, limit=limit, nul=True)
    except UnreadableError as error:
        raise LedgerError(str(error), code="json") from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 400:
        raise TypeError("text is expected")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise TypeError("a whole number is expected")
    return value
