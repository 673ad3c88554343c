"""What is examined: the folder, what it says of itself, and what the verifier was given from outside.

Reading is separate from judging: each part is read once, leniently, when the first step asks for it; what could not be
read is remembered in `trouble` for the step whose part it is. So no step depends on another having run.
"""

from __future__ import annotations

import base64
import json
import os
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.errors import LedgerError
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.leaf import MAX_LEAF_BYTES, read_leaf
from sync.ledger.note import Note, read_note
from sync.ledger.tree import leaf_hash
from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.record.timeline import Segment
from wutong.export import forms
from wutong.verify.scan import FileFact, open_plain, scan

MAX_LEDGER_BYTES = 1024 * 1024 * 1024
MAX_SMALL_BYTES = 64 * 1024 * 1024
MAX_CHECKPOINTS = 200_000
MAX_LEAVES = 2_000_000
_DIGITS = 20
"""Of a time in a leaf; a longer one is not the room's, and would only cost time."""
FOLD_ERRORS = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    struct.error,
    LedgerError,
)
"""What hostile bodies make of honest code."""


@dataclass(frozen=True, slots=True)
class Proof:
    """That a leaf is in a tree."""

    index: int
    size: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as the folder has it; `note` and `point` are None when it cannot be read."""

    place: int
    note: Note | None = None
    point: Checkpoint | None = None
    error: str = ""


@dataclass
class ExportCase:
    """One folder. `center` is the only key that is trusted."""

    folder: Path
    center: Ed25519PublicKey | None = None
    tsa_roots: Sequence[x509.Certificate] = ()
    tsa_policy: str | None = None
    progress: Callable[[int], None] = lambda count: None
    workers: int | None = None
    places: Mapping[str, Path] = field(default_factory=dict)
    """Files that are judged where they are kept, and not in the folder."""
    trouble: dict[str, str] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """Where a file of the folder is. `name` was checked by `forms.is_path` or is one of ours."""
        return self.places.get(name, self.folder / name)

    def read(self, name: str, limit: int = MAX_SMALL_BYTES) -> bytes | None:
        """The bytes of a plain file, None when it is not there, is no plain file or is larger than `limit`."""
        try:
            with os.fdopen(open_plain(self.path(name)), "rb") as file:
                if os.fstat(file.fileno()).st_size > limit:
                    self.trouble.setdefault(name, "larger than any honest one")
                    return None
                return file.read(limit + 1)[:limit]
        except OSError as error:
            self.trouble.setdefault(name, error.strerror or str(error))
            return None

    @cached_property
    def index(self) -> forms.Index | None:
        """`index.json`; None (and `trouble`) when it is missing or not of its form."""
        data = self.read(forms.INDEX)
        if data is None:
            return None
        try:
            return forms.Index.from_bytes(data)
        except LedgerError as error:
            self.trouble[forms.INDEX] = error.message
            self.trouble["index-code"] = error.code
            return None

    @property
    def form(self) -> str:
        """The form by which the folder is judged; step 1 stops at one that is not known."""
        return forms.FORM if self.index is None else self.index.form

    @cached_property
    def leaves(self) -> list[bytes]:
        """The lines of `leaves.jsonl` as they are."""
        data = self.read(forms.LEAVES, MAX_LEDGER_BYTES) or b""
        lines = data.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        elif data:
            self.trouble["leaves-end"] = "the last line has no end"
        if len(lines) > MAX_LEAVES or any(len(line) > MAX_LEAF_BYTES for line in lines):
            self.trouble["leaves-end"] = "more or longer leaves than any honest hearing has"
            return []
        return lines

    @cached_property
    def digests(self) -> list[bytes]:
        """The hashes of the leaves, over their bytes as they are."""
        return [leaf_hash(leaf) for leaf in self.leaves]

    @cached_property
    def events(self) -> list[Event | None]:
        """What the leaves say; a leaf that is not canonical is read all the same where JSON allows it."""
        return [_event(leaf) for leaf in self.leaves]

    @cached_property
    def known(self) -> list[Event]:
        """Those events that could be read."""
        return [event for event in self.events if event is not None]

    @cached_property
    def hearing(self) -> Hearing | None:
        """The fold of the leaves; None (and `trouble`) when a body is not of its kind's form."""
        events = self.known
        if not events:
            return None
        try:
            return Hearing.of(str(events[0].hearing), events)
        except FOLD_ERRORS as error:
            self.trouble["hearing"] = repr(error)[:200]
            return None

    @cached_property
    def checkpoints(self) -> list[Signed]:
        """All checkpoints in the order of the file."""
        data = self.read(forms.CHECKPOINTS) or b""
        lines = [line for line in data.split(b"\n") if line]
        if len(lines) > MAX_CHECKPOINTS:
            self.trouble[forms.CHECKPOINTS] = f"{len(lines)} checkpoints are more than any honest hearing has"
            return []
        return [_signed(place, line) for place, line in enumerate(lines)]

    @cached_property
    def last(self) -> Checkpoint | None:
        """The last checkpoint that can be read."""
        points = [c.point for c in self.checkpoints if c.point is not None]
        return points[-1] if points else None

    @cached_property
    def device(self) -> bytes | None:
        """The device's certificate (PEM)."""
        return self.read(forms.DEVICE, 64 * 1024)

    @cached_property
    def room(self) -> str:
        """`court/room` by the last checkpoint, else by the index."""
        if self.last is not None:
            return self.last.room
        return "" if self.index is None else self.index.room

    @cached_property
    def proofs(self) -> list[Proof] | None:
        """The inclusion proofs of an excerpt; None when there are none."""
        if not os.path.lexists(self.path(forms.PROOFS)):
            return None
        data = self.read(forms.PROOFS, MAX_LEDGER_BYTES) or b""
        proofs = []
        for line in data.split(b"\n"):
            if not line:
                continue
            try:
                value = forms.read_json(line, limit=64 * 1024)
                path = tuple(base64.b64decode(node, validate=True) for node in value["path"])
                if type(value["index"]) is not int or type(value["size"]) is not int:
                    raise TypeError("index and size are numbers")
                proofs.append(Proof(value["index"], value["size"], path))
            except FOLD_ERRORS as error:
                self.trouble[forms.PROOFS] = repr(error)[:200]
                return []
        return proofs

    @property
    def is_excerpt(self) -> bool:
        """Only a stretch of the hearing is here."""
        return self.proofs is not None

    @cached_property
    def segments(self) -> dict[str, Segment]:
        """path -> segment, of all segment leaves whose names an export can have."""
        segments = [] if self.hearing is None else self.hearing.segments
        found = {}
        for segment in segments:
            path = forms.media_path(segment.track, segment.index) if segment.index >= 0 else ""
            if forms.is_path(path):
                found[path] = segment
            else:
                self.trouble["media-path"] = f"{segment.track}/{segment.index}"
        return found

    @cached_property
    def media(self) -> dict[str, FileFact]:
        """path -> what its file is, of every segment of the leaves that is here; read once."""
        files = {name: self.path(name) for name in self.segments if os.path.lexists(self.path(name))}
        return scan(files, walk=True, sm3=True, progress=self.progress, workers=self.workers)

    def plain_bytes(self) -> int:
        """How much there is to read, for a progress bar."""
        return (
            0
            if self.index is None
            else sum(f.bytes for f in self.index.files if f.path.startswith(("media/", "documents/", "play/")))
        )


def _event(leaf: bytes) -> Event | None:
    try:
        return read_leaf(leaf)
    except LedgerError:
        pass
    try:
        # Not the strict reader: this leaf is false already, and what it says all the same (a key twice, NaN) is read
        # to name what else is. Its bytes are bounded, and whatever it raises is caught here.
        return Event.from_json(_integers(json.loads(leaf)))
    except FOLD_ERRORS:
        return None


def _integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: int(v[:_DIGITS]) if str(k).endswith("_ns") and isinstance(v, str) else _integers(v)
            for k, v in value.items()
        }
    return [_integers(item) for item in value] if isinstance(value, list) else value


def _signed(place: int, line: bytes) -> Signed:
    try:
        value = forms.read_json(line, limit=1_000_000)
        if not isinstance(value, dict) or set(value) != {"note"} or not isinstance(value["note"], str):
            raise LedgerError("a line is no checkpoint", code="checkpoint")
        note = read_note(value["note"])
        return Signed(place, note, Checkpoint.from_text(note.text))
    except LedgerError as error:
        unsigned = _unsigned(line)
        return Signed(place, None, unsigned, "" if unsigned is not None else error.message)


def _unsigned(line: bytes) -> Checkpoint | None:
    """A checkpoint from which all signatures were taken."""
    try:
        return Checkpoint.from_text(str(forms.read_json(line, limit=1_000_000)["note"]).rstrip("\n") + "\n")
    except FOLD_ERRORS:
        return None
