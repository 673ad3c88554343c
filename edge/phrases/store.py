"""The phrases of this court: its own file where it has one, else those that ship with the product.

Promises: a file that is wrong never takes the place of one that works, and whoever saves it is told which line; before
a file is replaced it is kept beside it as `<name>.previous`. A file that was broken by hand outside of the panel is
said (`error`), and the phrases of the product are shown meanwhile.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import structlog

from edge.phrases.file import MAX_BYTES, Phrase, PhraseFileError, parse
from sync.errors import HearingError, StorageError
from sync.runtime.files.durable_files import replace_file
from sync.runtime.files.handwritten import HandwrittenError, text_of

log = structlog.get_logger(__name__)


def default_text() -> str:
    """The file that ships with the product."""
    return (resources.files(__package__) / "default.toml").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The file as it is now."""

    text: str
    """What the editor shows: the court's own words, also where they are wrong."""
    phrases: list[Phrase]
    own: bool
    """The court has a file of its own."""
    version: str
    """Of the text; whoever saves says which one was seen."""
    error: PhraseFileError | None = field(default=None)
    """What is wrong with the court's file, if the product's phrases stand in for it."""


class PhraseStore:
    """One file, read again when it has changed. Blocking; the methods may be called in any thread, one at a time."""

    def __init__(self, path: Path, roles: frozenset[str]) -> None:
        self.path = path
        self._roles = roles
        self._default = default_text()
        self._read: tuple[tuple[int, int] | None, Shelf] | None = None

    def shelf(self) -> Shelf:
        """What is there now."""
        stamp = self._stamp()
        if self._read is None or self._read[0] != stamp:
            self._read = (stamp, self._load() if stamp is not None else self._of_product())
        return self._read[1]

    def save(self, text: str, version: str | None) -> Shelf:
        """Take a new file. `PhraseFileError` where it is wrong; 409 `conflict` where another was saved meanwhile."""
        text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        parse(text, self._roles)
        now = self.shelf()
        if version is not None and version != now.version:
            raise HearingError(
                "用语文件已被别人修改，请核对后再保存 (the file was changed meanwhile; look at it, then save)",
                code="conflict",
            )
        try:
            self._write(text, now)
        except OSError as error:
            raise StorageError(
                f"用语文件无法写入 {self.path.name}：{error.strerror} (the file of phrases cannot be written)"
            ) from error
        self._read = None
        return self.shelf()

    def _write(self, text: str, now: Shelf) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if now.own:
            # Its bytes, because what could not be read is not in `now`, and somebody may yet save it as UTF-8.
            replace_file(self.path.with_name(self.path.name + ".previous"), self.path.read_bytes())
        replace_file(self.path, text)

    def _stamp(self) -> tuple[int, int] | None:
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size

    def _of_product(self, error: PhraseFileError | None = None, own: str | None = None) -> Shelf:
        text = self._default if own is None else own
        return Shelf(text, parse(self._default), own is not None, _version(text), error)

    def _load(self) -> Shelf:
        try:
            with self.path.open("rb") as file:
                text = text_of(file.read(MAX_BYTES + 1), most=MAX_BYTES)
        except OSError as error:
            wrong = PhraseFileError(f"读不出：{error.strerror}", str(error.strerror), line=1)
            return self._of_product(wrong, "")
        except HandwrittenError as error:
            wrong = PhraseFileError(error.what, error.english, line=error.line, column=error.column)
            log.warning("phrases_unreadable", file=str(self.path), why=wrong.message, next="the product's are shown")
            return self._of_product(wrong, "")
        try:
            return Shelf(text, parse(text, self._roles), True, _version(text))
        except PhraseFileError as error:
            log.warning("phrases_unreadable", file=str(self.path), why=error.message, next="the product's are shown")
            return self._of_product(error, text)


class Phrasebook:
    """The same for an event loop: one act at a time, off the loop."""

    def __init__(self, store: PhraseStore) -> None:
        self._store = store
        self._lock = asyncio.Lock()

    async def shelf(self) -> Shelf:
        """What is there now."""
        async with self._lock:
            return await asyncio.to_thread(self._store.shelf)

    async def save(self, text: str, version: str | None) -> Shelf:
        """Take a new file."""
        async with self._lock:
            return await asyncio.to_thread(self._store.save, text, version)


def _version(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
