"""The process that makes the second copy: closed segments, exhibits, documents, and the log of each closed hearing.

What must be copied is read from the room's log, what has been copied is noted in `copy.db`; so it goes on after any
break, and the loss of that file costs only time. The target is a folder (`recorder.second_copy.folder_target`) or
another machine that runs `wutong copyserver`, over the upload protocol. It yields to everything else, dies with the
recorder, and reports how far it is on its output, one line a change: `{"pending_files","pending_bytes","why"}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
from pydantic import BaseModel

from recorder.second_copy.folder_target import AwayError, CopyFolder, DamagedError
from recorder.storage.segment import make_folder
from sync.errors import ConfigError, LedgerError, StorageError, WutongError
from sync.ledger.messages.object_claim import sign_claim
from sync.record.event import Event
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.room.signer import RoomSigner
from sync.runtime.files.durable_files import replace_file
from sync.runtime.process.processes import die_with_parent, weigh
from sync.runtime.process.service import configure_logging
from sync.tls.followed_context import BelievedAuthority
from sync.uplink.files.tus import TusClient
from sync.uplink.files.upload_store import Upload, UploadStore
from sync.uplink.files.uploads import Uploads
from sync.uplink.token_bucket import TokenBucket

NICE = 15
POLL_S = 1.0
AGAIN_S = (1.0, 2.0, 5.0, 10.0)
SETTLED_S = 5.0
"""The log of a closed hearing is copied when nothing more came for so long, and again if something does."""
BATCH = 64
LINE_BYTES_PER_S = 5_000_000


class CopyOptions(BaseModel):
    """What the recorder says on the command line. `token` is read from the environment: arguments are public."""

    data: Path
    room: str
    target: str


@dataclass(slots=True)
class _Log:
    """What is known of a hearing's log."""

    last: int
    seen_at: float
    closed: bool = False


class Copier:
    """Copies one room. `copy_once` and `scan` block; one thread at a time."""

    def __init__(self, options: CopyOptions) -> None:
        self.layout = RoomPaths(options.data)
        self.log = RoomLog(self.layout.log)
        self.store = UploadStore(options.data / "copy.db")
        self.why: str | None = None
        self._logs: dict[str, _Log] = {}
        self._number = 0
        self._resting: dict[str, float] = {}
        self._published = ""
        """The last line on the output."""

    def close(self) -> None:
        """Close the room's log and the list of what was copied."""
        self.store.close()
        self.log.close()

    def scan(self) -> None:
        """Note what is new in the room's log, and make the logs of closed hearings into files."""
        while events := self.log.since(self._number):
            self._number = events[-1].number
            self.store.take(events)
            for event in events:
                self._note(event)
        for hearing, known in self._logs.items():
            if known.closed and time.monotonic() - known.seen_at >= SETTLED_S:
                self._write_log(hearing, known.last)
        for hearing in [h for h, known in self._logs.items() if known.closed and self.store.get(_key(h, known.last))]:
            del self._logs[hearing]

    def _note(self, event: Event) -> None:
        if event.hearing is None:
            return
        closed = event.kind == "close" or event.hearing not in self._logs
        known = self._logs.setdefault(event.hearing, _Log(0, 0.0))
        # A hearing whose log was written already and that has more to say (words, a new seal) is closed, too.
        known.closed = known.closed or (closed and event.kind != "open")
        known.last, known.seen_at = event.number, time.monotonic()

    def _write_log(self, hearing: str, last: int) -> None:
        if self.store.get(_key(hearing, last)) is not None:
            return
        folder = self.layout.hearing(hearing) / "log"
        path = folder / f"{last:08d}.jsonl"
        events = [e for e in self.log.of_hearing(hearing) if e.number <= last]
        data = b"".join(json.dumps(e.to_json(), ensure_ascii=False, sort_keys=True).encode() + b"\n" for e in events)
        try:
            make_folder(folder)
            replace_file(path, data)
        except OSError as error:
            raise StorageError(f"庭审日志无法写入 {path.name}：{error.strerror}") from error
        digest = hashlib.sha256(data).hexdigest()
        file_name = f"log/{path.name}"
        upload = Upload(
            _key(hearing, last), "log", hearing, "", last, file_name, "application/jsonl", None, digest, len(data)
        )
        self.store.begin(upload)

    def copy_once(self, folder: CopyFolder) -> bool:
        """Copy what is due to a folder; whether anything is left that could be copied at once."""
        if folder.poll():
            self.store.forget_stored()
        now = time.monotonic()
        due = [u for u in self.store.finished(limit=BATCH + len(self._resting)) if self._resting.get(u.key, 0) <= now]
        for upload in due[:BATCH]:
            assert upload.sha256 is not None
            source = self.layout.hearing(upload.hearing) / upload.file
            try:
                folder.put(source, upload.hearing, upload.file, upload.sha256)
            except DamagedError as error:
                self.why = error.message
                self._resting[upload.key] = time.monotonic() + AGAIN_S[-1]
                continue
            self._resting.pop(upload.key, None)
            self.store.set_stored(upload.key, time.time_ns())
            self.publish()
        if not self._resting:
            self.why = None
        return len(due) > BATCH

    def publish(self) -> None:
        """Write to the output how far it is, if that is news."""
        files, size = self.store.pending()
        line = json.dumps({"pending_files": files, "pending_bytes": size, "why": self.why}, ensure_ascii=False)
        if line != self._published:
            self._published = line
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


def _key(hearing: str, last: int) -> str:
    return f"log/{hearing}/{last}"


def to_folder(copier: Copier, folder: CopyFolder) -> None:
    """Copy until the process ends."""
    failures = 0
    while True:
        pause_s = POLL_S
        try:
            copier.scan()
            copier.publish()
            pause_s = 0.0 if copier.copy_once(folder) else POLL_S
            failures = 0
        except (AwayError, StorageError) as error:
            copier.why = error.message
            pause_s = AGAIN_S[min(failures, len(AGAIN_S) - 1)]
            failures += 1
        copier.publish()
        time.sleep(pause_s)  # its own process: nobody tells it that a disk is back


async def _confirm(tus: TusClient, signer: RoomSigner, claim: Mapping[str, Any]) -> int:
    """Hand a file over, claimed by the device where its signer answers: who knows no device asks for none."""
    try:
        note = await asyncio.to_thread(sign_claim, claim, signer)
    except LedgerError:
        note = ""
    return await tus.confirm({**claim, "note": note})


async def to_machine(copier: Copier, options: CopyOptions, token: str) -> None:
    """Copy over the upload protocol until the process ends."""
    headers = {"Authorization": f"Bearer {token}"}
    timeout = httpx.Timeout(60, connect=5)
    believed = BelievedAuthority(copier.layout.authority, lambda: httpx.create_ssl_context(trust_env=False))
    believed.follow()
    async with httpx.AsyncClient(
        base_url=options.target, headers=headers, timeout=timeout, trust_env=False, verify=believed.context
    ) as http:
        tus = TusClient(http)
        uploads = Uploads(
            room=options.room,
            layout=copier.layout,
            room_log=copier.log,
            store=copier.store,
            tus=tus,
            pace=TokenBucket(LINE_BYTES_PER_S),
            hearing=lambda: None,
            confirm=partial(_confirm, tus, RoomSigner(copier.layout.signer_socket)),
        )

        async def poll() -> None:
            asked = False
            while True:
                try:
                    await asyncio.to_thread(believed.follow)
                    await asyncio.to_thread(copier.scan)
                    copier.why = None if uploads.reachable or not asked else f"备份主机 {options.target} 无法连接"
                    if uploads.refused:
                        copier.why = f"备份主机未接收：{uploads.refused}"
                except (StorageError, ConfigError) as error:
                    copier.why = error.message
                copier.publish()
                uploads.kick()
                asked = True
                await asyncio.sleep(POLL_S * 2)

        async with asyncio.TaskGroup() as group:
            group.create_task(uploads.run())
            group.create_task(poll())


def main() -> None:
    """Copy until the recorder ends."""
    die_with_parent()
    weigh(NICE)
    configure_logging("copier")
    with contextlib.suppress(psutil.Error, OSError):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    options = CopyOptions.model_validate_json(sys.argv[1])
    try:
        with contextlib.closing(Copier(options)) as copier:
            if options.target.startswith(("http://", "https://")):
                asyncio.run(to_machine(copier, options, os.environ.pop("WUTONG_COPY_TOKEN", "")))
            else:
                to_folder(copier, CopyFolder(Path(options.target), options.room, options.data / "copy.json"))
    except WutongError as error:
        print(json.dumps({"pending_files": 0, "pending_bytes": 0, "why": error.message}, ensure_ascii=False))  # noqa: T201 (the recorder reads it)
        sys.exit(2)


if __name__ == "__main__":
    main()
