"""Documents are made in a process of their own: a long transcript takes its time, and the panel must not wait for it.

Promises: a document is on disk, whole and synced, when it is returned; one is made at a time; a maker that says
nothing for `SILENT_S` is ended, and what it said while it died is logged; a kind that cannot be made takes no other
along, also when it ends the process. Final documents are of the words that were asked for by their hash or are not
made; they lie in the hearing's folder under names that are never written twice, beside the reasons of those that are
missing (`failed.json`).
Drafts are temporary files, and whoever asked for one deletes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from hardware.profile import Profile
from sync.errors import StorageError
from sync.record.sealed_parts import EVERYTHING_SEEN, Unseen
from sync.room.paths import RoomPaths
from sync.runtime.files.digests import checks_of
from sync.runtime.files.durable_files import replace_file, sync_folder
from sync.runtime.listeners import Listeners
from sync.runtime.process.child_process import ChildError, ChildProcess, module_command

log = structlog.get_logger(__name__)

KINDS = ("pdf", "docx", "json", "srt", "vtt")
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "json": "application/json",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
}
SILENT_S = 120.0
ABANDONED_S = 3600.0
WORKER = f"{__package__}.worker"
"""What draws: a process of its own, so that its libraries and its defects stay out of the edge."""
FAILED = "failed.json"
MAX_ERROR_CHARS = 300
"""Of what a maker that died left behind: the end of a trace names the error."""


@dataclass(frozen=True, slots=True)
class Made:
    """A document on disk."""

    kind: str
    path: Path
    bytes: int
    sha256: str
    sm3: str
    draft: bool
    excerpt: bool = False
    """Whether something that is sealed is left out of it (节本)."""


@dataclass(slots=True)
class _MakerSaid:
    """What a maker said before it ended."""

    made: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    refused: str = ""
    """Why it would not begin."""
    died: str = ""
    """Why it ended before it was done."""


class Making:
    """All methods belong to one event loop."""

    def __init__(self, profile: Profile, layout: RoomPaths) -> None:
        self._profile = profile
        self._layout = layout
        self._turn = asyncio.Lock()
        self.part: float | None = None
        """How much of what is made now is done, 0…1; None while nothing is made."""
        self.changed = Listeners[[]]()
        """Called when `part` has moved."""

    async def draft(self, hearing: str, kind: str, unseen: Unseen = EVERYTHING_SEEN) -> Made:
        """A draft of one kind, without the words and exhibits of what is `unseen`; delete its file."""
        folder = self._layout.hearing(hearing) / "documents"
        path = folder / f".draft-{secrets.token_hex(8)}.{kind}"
        try:
            await asyncio.to_thread(_sweep, folder)
            [made], _ = await self._make(hearing, {kind: path}, unseen=unseen)
        except BaseException:  # also when whoever wanted it has left: a draft lies about for nobody
            await asyncio.to_thread(path.unlink, missing_ok=True)
            raise
        return replace(made, excerpt=bool(unseen))

    async def final(
        self, hearing: str, version: int, sha256: str, kinds: Iterable[str] = KINDS
    ) -> tuple[list[Made], dict[str, str]]:
        """Some or all kinds of the words of that hash, for good, and why others could not be made.

        `StorageError` when none could.
        """
        folder = self._layout.hearing(hearing) / "documents"
        fresh = {kind: folder / f".new-{secrets.token_hex(8)}.{kind}" for kind in kinds}
        try:
            await asyncio.to_thread(_sweep, folder)
            made, failed = await self._make(hearing, fresh, words=sha256)
            return [await asyncio.to_thread(_settle, one, version) for one in made], failed
        except OSError as error:
            raise StorageError(f"笔录文件无法写入磁盘 (the documents cannot be written: {error.strerror})") from error
        finally:
            for path in fresh.values():
                await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _make(
        self,
        hearing: str,
        files: dict[str, Path],
        *,
        words: str | None = None,
        unseen: Unseen = EVERYTHING_SEEN,
    ) -> tuple[list[Made], dict[str, str]]:
        """Final ones where `words`, their hash, is said; drafts else. `StorageError` when not one was made."""
        profile = self._profile
        job = {
            "data": str(self._layout.data.resolve()),
            "hearing": hearing,
            "files": {kind: str(path.resolve()) for kind, path in files.items()},
            "final": words is not None,
            "words": words,
            "unseen": unseen.spans,
            "address": profile.address,
            "court_name": profile.room.court_name,
            "room_name": profile.room.room_name,
            "tsa_url": profile.center.tsa_url,
            "struck": profile.panel.struck == "shown",
        }
        async with self._turn:
            self._notify(0.0)
            try:
                failed = await self._ask(job)
                if len(failed) == len(files):
                    raise _not_made("；".join(dict.fromkeys(failed.values())))
                done = {kind: path for kind, path in files.items() if kind not in failed}
                made = [await asyncio.to_thread(_made, kind, path, draft=words is None) for kind, path in done.items()]
                return made, failed
            except OSError as error:
                raise StorageError(f"笔录文件无法读取 (a document cannot be read: {error.strerror})") from error
            finally:
                self._notify(None)

    async def _ask(self, job: dict[str, Any]) -> dict[str, str]:
        """Have the files made; why those that were not were not. One that ends the process is tried once more alone."""
        said = await self._run(job)
        if said.refused:
            raise _not_made(said.refused)
        failed = said.failed
        left = [kind for kind in job["files"] if kind not in said.made and kind not in failed]
        for kind in left:
            again = said
            if len(job["files"]) > 1:
                again = await self._run({**job, "files": {kind: job["files"][kind]}})
            if kind not in again.made:
                failed[kind] = again.failed.get(kind) or again.refused or again.died
        return failed

    async def _run(self, job: dict[str, Any]) -> _MakerSaid:
        child: ChildProcess | None = None
        heard = _MakerSaid(died="it ended without a word")
        try:
            child = await ChildProcess.start(module_command(WORKER))
            await child.send(job)
            child.finish()
            while True:
                async with asyncio.timeout(SILENT_S):
                    said = await child.receive()
                if said is None:
                    break
                if "part" in said:
                    self._notify(min(max(float(said["part"]), 0.0), 1.0))
                elif "warning" in said:
                    log.warning("document_warning", hearing=job["hearing"], why=str(said["warning"])[:MAX_ERROR_CHARS])
                elif "made" in said:
                    heard.made.add(str(said["made"]))
                elif "failed" in said:
                    heard.failed[str(said["failed"])] = str(said["why"])[:MAX_ERROR_CHARS]
                elif "done" in said:
                    heard.died = ""
                    await child.ended()
                    break
                else:
                    heard.refused = str(said.get("error"))[:MAX_ERROR_CHARS]
        except TimeoutError:
            heard.died = f"it said nothing for {SILENT_S:.0f} s"
        except ChildError as error:
            heard.died = error.message
        except (KeyError, TypeError, ValueError) as error:
            heard.died = f"it said what it never says: {type(error).__name__}"
        finally:
            if child is not None:
                await child.end()
        if heard.died or heard.failed:
            trace = "" if child is None else "\n".join(child.stderr)
            why = heard.refused or heard.died
            log.error("document_not_made", hearing=job["hearing"], why=why, failed=heard.failed, trace=trace)
        return heard

    def _notify(self, part: float | None) -> None:
        self.part = part
        self.changed.notify()


def note_failures(folder: Path, failed: Mapping[str, str]) -> None:
    """Write down beside the documents why some are missing, for whoever looks after the machine; or that none is."""
    path = folder / FAILED
    if failed:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps(dict(failed), ensure_ascii=False, indent=1) + "\n")
    else:
        path.unlink(missing_ok=True)


def failures_below(hearings: Path) -> dict[str, dict[str, str]]:
    """By hearing, the kinds that could not be made and why, as `note_failures` wrote them."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(hearings.glob(f"*/documents/{FAILED}")):
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            value = {}
        known = value if isinstance(value, dict) else {}
        found[path.parent.parent.name] = {str(kind): str(why)[:MAX_ERROR_CHARS] for kind, why in known.items()}
    return found


def _not_made(why: str) -> StorageError:
    return StorageError(f"笔录文件生成失败：{why} (the document was not made; try again)")


def _made(kind: str, path: Path, *, draft: bool) -> Made:
    checks = checks_of(path)
    return Made(kind, path, path.stat().st_size, checks.sha256, checks.sm3, draft)


def _sweep(folder: Path) -> None:
    """Drafts that nobody took, and what a run that was killed left half made."""
    for path in (*folder.glob(".draft-*"), *folder.glob(".new-*")):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > ABANDONED_S:
                path.unlink()


def _settle(made: Made, version: int) -> Made:
    """Give it its name and see that it stays."""
    path = made.path.with_name(f"bilu-v{version}-{made.sha256[:12]}.{made.kind}")
    with made.path.open("rb") as file:
        os.fsync(file.fileno())
    made.path.replace(path)
    sync_folder(path.parent)
    return Made(made.kind, path, made.bytes, made.sha256, made.sm3, made.draft)
