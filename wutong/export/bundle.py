"""Writes the folder: everything into `<out>.partial`, synced, signed last, then renamed, so a folder with the asked
name is whole. Refuses to replace a folder (unless forced), to begin when the disk cannot hold it, and to leave media
out silently: a segment of the ledger that is not here ends the export with its name.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sync.errors import ConfigError, LedgerError, StorageError
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.leaf import leaf_of
from sync.ledger.note import read_note, sign
from sync.ledger.tree import inclusion_proof, leaf_hash
from sync.media.tracks import MIX
from sync.record.bodies.media import AccessBody
from sync.record.event import Event
from sync.record.explanation import explain
from sync.record.hearing import Hearing
from sync.record.sealed_parts import EVER, Unseen
from sync.record.signing import Document
from sync.runtime.files.durable_files import sync_folder
from wutong.export import excerpt, forms
from wutong.export.derived.certificate import certificate_of
from wutong.export.derived.files import derived_files
from wutong.export.medium import Medium, medium_of
from wutong.export.sources.hearing_source import HearingSource

PIECE = 4 * 1024 * 1024
SPARE_BYTES = 64 * 1024 * 1024
FILM_SPARE_BYTES = 64 * 1024 * 1024
"""Between the pictures and sound of a film and the file that it becomes: its tables."""
MAX_REASON = 200
_NEED_REASON = frozenset({"restricted", "withdrawn"})

Progress = Callable[[str, int, int], None]
"""(what, done bytes, of bytes)"""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds."""

    folder: Path
    files: int
    bytes: int
    leaves: int
    sealed: bool
    witnessed: bool
    places: Mapping[str, Path]
    """Where the files are that were left in the store, for the verifier of this machine; empty otherwise."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The leaves of an export and the checkpoints over them."""

    events: list[Event]
    leaves: list[bytes]
    places: list[int]
    digests: list[bytes]
    """Of all leaves that the last checkpoint covers, those left out included."""
    notes: list[str]
    last: Checkpoint | None


def ledger_of(source: HearingSource, stretch: tuple[int, int] | None, *, judged: bool = False) -> Ledger:
    """All that is signed; of a hearing that goes on, what the last checkpoint covers. Without any checkpoint, all.

    `judged`: leaves that were signed and are not here are for the verifier to tell.
    """
    events = list(source.events())
    notes = list(source.checkpoints())
    last = Checkpoint.from_text(read_note(notes[-1]).text) if notes else None
    if last is not None:
        if last.size > len(events) and not judged:
            raise StorageError(
                f"the last checkpoint is over {last.size} leaves and only {len(events)} are here; "
                "wait until the room has sent the rest, or export in the room"
            )
        events = events[: last.size]
    leaves = [leaf_of(event) for event in events]
    digests = [leaf_hash(leaf) for leaf in leaves]
    places = list(range(len(events)))
    if stretch is not None:
        if last is None:
            raise ConfigError("an excerpt is proven by a checkpoint, and this hearing has none yet; export all of it")
        opened_ns = next((e.room_ns for e in events if e.kind == "open"), 0)
        places = excerpt.chosen(events, opened_ns + stretch[0], opened_ns + stretch[1])
        notes = notes[-1:]
    return Ledger([events[p] for p in places], [leaves[p] for p in places], places, digests, notes, last)


class Bundle:
    """One export under way."""

    def __init__(
        self,
        source: HearingSource,
        out: Path,
        progress: Progress,
        *,
        judged: bool = False,
        medium: Callable[[Path], Medium] = medium_of,
    ) -> None:
        """`judged`: for the verifier of this machine, which must see what is here although it is missing or false;
        `medium`: what is known of where a folder lies."""
        self._medium = medium
        self._film_bytes: int | None = None
        self._source = source
        self._judged = judged
        self._out = out
        self._partial = out.with_name(out.name + ".partial")
        self._progress = progress
        self._files: list[forms.Entry] = []
        self._places: dict[str, Path] = {}
        self._done = self._total = 0

    def write(self, stretch: tuple[int, int] | None, *, force: bool, people: bool = True, reason: str = "") -> Exported:
        """Make the folder. `stretch` is (from, to) in ns since the opening; `people`: with PDF and `play/`, which no
        verifier needs; `reason`: why a hearing that not everybody may see is taken out."""
        self._check_level(reason)
        if self._out.exists() and not force:
            raise ConfigError(f"{self._out} is there already; name another folder, or say --force to replace it")
        if self._out.exists() and not (self._out / forms.INDEX).is_file():
            raise ConfigError(f"{self._out} is no export, so --force does not replace it; name another folder")
        ledger = ledger_of(self._source, stretch, judged=self._judged)
        if not ledger.events:
            raise ConfigError(f"there is no hearing {self._source.hearing} here, or nothing of it is signed yet")
        try:
            hearing = _folded(self._source.hearing, ledger.events)
            self._check_parts(hearing, stretch, reason)
            if not self._judged:
                self._check_medium(hearing, people=people)
            if self._partial.exists():
                shutil.rmtree(self._partial)
            self._partial.mkdir(parents=True)
            self._evidence(hearing)
            self._ledger(ledger, stretch)
            span = None if stretch is None else (hearing.opened_ns + stretch[0], hearing.opened_ns + stretch[1])
            self._derived(ledger, hearing, span, people=people)
            if people:
                self._play(ledger, hearing, span)
            self._sign(ledger, span)
            # Before the folder has its name: what cannot be written down does not happen (法释〔2017〕5号, art. 15).
            access: AccessBody = {
                "what": "verify" if self._judged else "export",
                "hearing": self._source.hearing,
                "excerpt": span is not None,
            }
            if reason:
                access["reason"] = reason.strip()
            self._source.note_access(access)
            self._settle()
        except OSError as error:
            raise StorageError(f"the export could not be written: {error.strerror or error}; check the disk") from error
        kinds = [e.kind for e in ledger.events]
        return Exported(
            folder=self._out,
            files=len(self._files),
            bytes=sum(f.bytes for f in self._files),
            leaves=len(ledger.leaves),
            sealed="seal" in kinds,
            witnessed=bool(ledger.notes) and len(read_note(ledger.notes[-1]).lines) > 1,
            places=self._places,
        )

    def abandon(self) -> None:
        """Take away what a failed export left."""
        shutil.rmtree(self._partial, ignore_errors=True)

    def _check_level(self, reason: str) -> None:
        """A verdict shows nothing of the hearing, so it needs no reason; it is written down all the same."""
        if len(reason) > MAX_REASON:
            raise ConfigError(f"the reason is longer than {MAX_REASON} characters; say it in one sentence")
        if not self._judged and self._source.level in _NEED_REASON and not reason.strip():
            raise ConfigError(
                f"the level (密级) of this hearing is {self._source.level}: not everybody may see it; "
                "say with --despite-level REASON why it is exported (the audit log keeps the reason)"
            )

    def _check_parts(self, hearing: Hearing, stretch: tuple[int, int] | None, reason: str) -> None:
        """As for a level; an excerpt that holds nothing of a sealed part needs no reason."""
        unseen = Unseen.of(self._source.sealed_parts(), frozenset())
        begin, end = EVER[0] if stretch is None else (hearing.opened_ns + moment for moment in stretch)
        if not self._judged and unseen.touches(begin, end) and not reason.strip():
            raise ConfigError(
                "a part of it is sealed (此段已封存): not everybody may see it; "
                "say with --despite-level REASON why it is exported (the audit log keeps the reason)"
            )

    def _check_medium(self, hearing: Hearing, *, people: bool) -> None:
        """Whether it can hold the whole and each file, before the first byte; in what pieces films are made."""
        documents = [d.bytes for d in _documents(hearing).values()]
        exhibits = [e.bytes for e in hearing.exhibits]
        media = sum(s.bytes for s in hearing.segments)
        self._total = media + sum(exhibits) + sum(documents)
        needed = self._total + (media if people else 0) + SPARE_BYTES
        parent = self._out.resolve().parent
        parent.mkdir(parents=True, exist_ok=True)
        medium = self._medium(parent)
        if medium.file_bytes is not None:
            largest = max([*exhibits, *documents, *(s.bytes for s in hearing.segments)], default=0)
            sound = sum(s.bytes for s in hearing.segments if s.track == MIX)
            room = medium.file_bytes - sound - sound // 20 - FILM_SPARE_BYTES
            if largest > medium.file_bytes or (people and room < largest):
                size = max(largest, sound)
                raise StorageError(
                    f"导出中有 {size / 2**30:.1f} GiB 的文件，而 {medium.named} 上单个文件最大 4 GiB − 1 字节；"
                    "请换用 exFAT、NTFS 或 ext4 格式的介质，或用 --from、--to 分段导出。尚未写入任何内容"
                    f" (a file of the export has {size / 2**30:.1f} GiB, and on {medium.named} one holds at most"
                    " 4 GiB - 1 byte; take a medium with exFAT, NTFS or ext4, or export stretches with --from and --to;"
                    " nothing was written)"
                )
            if people:
                self._film_bytes = room
                needed += sound * (media // room)  # each further piece of a film has the sound again
        if medium.free_bytes < needed:
            wants, has = f"{needed / 1e9:.1f} GB", f"{medium.free_bytes / 1e9:.1f} GB"
            raise StorageError(
                f"导出需要 {wants}，而 {medium.named} 只剩 {has}；请换用更大的介质，或先清理。尚未写入任何内容"
                f" (the export needs {wants} and {medium.named} has {has} free; choose another disk or free some space;"
                " nothing was written)"
            )

    def _evidence(self, hearing: Hearing) -> None:
        for segment in sorted(hearing.segments, key=lambda s: (s.track, s.index)):
            path = forms.media_path(segment.track, segment.index)
            self._copy(self._source.segment(segment), path, segment.bytes, segment.sha256)
        for exhibit in {e.sha256: e for e in hearing.exhibits}.values():
            path = f"exhibits/{exhibit.sha256}"
            self._copy(self._source.exhibit(exhibit.sha256), path, exhibit.bytes, exhibit.sha256)
        for path, document in _documents(hearing).items():
            self._copy(self._source.document(document), path, document.bytes, document.sha256)

    def _ledger(self, ledger: Ledger, stretch: tuple[int, int] | None) -> None:
        self.put(forms.LEAVES, b"".join(leaf + b"\n" for leaf in ledger.leaves))
        lines = [json.dumps({"note": note}, ensure_ascii=False) + "\n" for note in ledger.notes]
        self.put(forms.CHECKPOINTS, "".join(lines).encode())
        if stretch is not None:
            proofs = []
            for place in ledger.places:
                path = [base64.b64encode(n).decode() for n in inclusion_proof(ledger.digests, place)]
                proofs.append(json.dumps({"index": place, "size": len(ledger.digests), "path": path}) + "\n")
            self.put(forms.PROOFS, "".join(proofs).encode())
        device = self._source.device()
        if device is not None:
            self.put(forms.DEVICE, device)
        token = self._source.token()
        if token is not None:
            self.put(forms.TOKEN, token)

    def _derived(self, ledger: Ledger, hearing: Hearing, span: tuple[int, int] | None, *, people: bool) -> None:
        from wutong.export.pdf import certificate_pdf, explanation_pdf

        said = (ledger.events, self._source.room, ledger.last, self._source.device(), span)
        for path, data in derived_files(*said).items():
            self.put(path, data)
        certificate = certificate_of(*said)
        draft = explain(
            hearing,
            court_name=str(certificate["court_name"]),
            room_name=str(certificate["room_name"]),
        )
        if people:
            self.put("certificate.pdf", certificate_pdf(certificate, explained=draft is not None))
        if draft is not None:
            self.put("explanation.txt", draft.text.encode())
            if people:
                self.put("explanation.pdf", explanation_pdf(draft.text))

    def _play(self, ledger: Ledger, hearing: Hearing, span: tuple[int, int] | None) -> None:
        from wutong.export.player.folder import make

        find = self._source.picture
        for path in make(self._partial, ledger.events, hearing, span, self._progress, find, self._film_bytes):
            self._note(path)

    def _sign(self, ledger: Ledger, span: tuple[int, int] | None) -> None:
        source = self._source
        index = forms.Index(
            room=source.room,
            hearing=source.hearing,
            by=source.by,
            exported_utc=f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
            leaves=len(ledger.leaves),
            files=tuple(sorted(self._files, key=lambda f: f.path)),
            excerpt=span,
        ).to_bytes()
        self.put(forms.INDEX, index)
        signer = source.signer()
        if signer is not None:
            text = forms.note_text(source.room, source.hearing, hashlib.sha256(index).hexdigest())
            self.put(forms.SIGNATURE, sign(text, *signer).to_text().encode())

    def _settle(self) -> None:
        for base, _, _ in os.walk(self._partial):
            sync_folder(Path(base))
        if self._out.exists():
            old = self._out.with_name(self._out.name + ".replaced")
            self._out.rename(old)
            self._partial.rename(self._out)
            shutil.rmtree(old)
        else:
            self._partial.rename(self._out)
        sync_folder(self._out.resolve().parent)

    def put(self, path: str, data: bytes) -> None:
        """One small file."""
        target = self._partial / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path not in (forms.INDEX, forms.SIGNATURE):
            self._files.append(forms.Entry(path, len(data), hashlib.sha256(data).hexdigest()))

    def _note(self, path: str) -> None:
        """A file that a tool has made."""
        digest, size = hashlib.sha256(), 0
        with (self._partial / path).open("rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
                size += len(piece)
            os.fsync(file.fileno())
        self._files.append(forms.Entry(path, size, digest.hexdigest()))

    def _copy(self, source: Path | None, path: str, size: int, sha256: str) -> None:
        """Byte for byte; what differs from its leaf is not exported as if it were evidence."""
        if not forms.is_path(path):
            raise LedgerError(f"the ledger names a file {path!r} that no export can have", code="path")
        if self._judged:
            if source is not None:
                self._places[path] = source
                self._files.append(forms.Entry(path, size, sha256))
            return
        if source is None or not source.is_file():
            raise StorageError(f"{path} is in the ledger and its file is not here (yet); nothing was exported")
        target = self._partial / path
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, copied = hashlib.sha256(), 0
        with source.open("rb") as old, target.open("xb") as new:
            while piece := old.read(PIECE):
                digest.update(piece)
                new.write(piece)
                copied += len(piece)
                self._done += len(piece)
                self._progress(path, self._done, self._total)
            new.flush()
            os.fsync(new.fileno())
        if copied != size or digest.hexdigest() != sha256:
            raise StorageError(
                f"{path} is not what the ledger says of it (SHA-256 differs): the stored file {source} was changed or "
                "is damaged; nothing was exported. Look for the other copy (room or center)"
            )
        self._files.append(forms.Entry(path, copied, sha256))


def _documents(hearing: Hearing) -> dict[str, Document]:
    """path -> document, each once."""
    return {forms.document_path(d.sha256, d.kind): d for d in hearing.signing.documents}


def _folded(name: str, events: Sequence[Event]) -> Hearing:
    try:
        return Hearing.of(name, events)
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(f"an event of the hearing is not of its form: {error!r}; nothing was exported") from error


def export(
    source: HearingSource,
    out: Path,
    *,
    stretch: tuple[int, int] | None = None,
    force: bool = False,
    people: bool = True,
    judged: bool = False,
    reason: str = "",
    progress: Progress = lambda what, done, of: None,
) -> Exported:
    """Make the folder `out` and note the export in the log of where it came from, with the `reason` if one is given."""
    bundle = Bundle(source, out, progress, judged=judged)
    try:
        exported = bundle.write(stretch, force=force, people=people, reason=reason)
    finally:
        bundle.abandon()
    return exported
