"""The process that makes documents: one job as JSON on standard input, its progress and its end as lines of JSON.

`{"part":0…1}` while it works, `{"warning":sentence}` for what somebody should know, `{"made":kind}` or
`{"failed":kind,"why":sentence}` for each kind, then `{"done":true}`, or `{"error":sentence}` where none could be begun.
One kind that fails takes no other along. It only reads the room's log, and has the device's signature made by the
signer. Refuses to make final documents of other words than the job names,
or without the words of a sealed part.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.documents.form import CourtForm, form_of
from edge.documents.identity import Identity, identity_of
from edge.documents.plain import json_of, srt_of, vtt_of
from sync.errors import LedgerError, WutongError
from sync.record.hearing import Hearing
from sync.record.sealed_parts import Unseen
from sync.record.withheld import withheld
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.room.signer import RoomSigner
from sync.runtime.process.processes import weigh

NICE = 5
_WEIGHT = {"pdf": 0.5, "docx": 0.4, "json": 0.04, "srt": 0.03, "vtt": 0.03}
"""What part of the work each is."""
_STEP = 0.01


class _Progress:
    """Says how far the whole is, not more often than it can be seen."""

    def __init__(self, kinds: list[str]) -> None:
        self._whole = sum(_WEIGHT[kind] for kind in kinds)
        self._done = 0.0
        self._said = 0.0

    def of(self, kind: str) -> Callable[[float], None]:
        """For the maker of one kind."""

        def tell(part: float) -> None:
            now = (self._done + _WEIGHT[kind] * part) / self._whole
            if now - self._said >= _STEP:
                self._said = now
                say({"part": round(now, 3)})

        return tell

    def finished(self, kind: str) -> None:
        """One is on disk."""
        self._done += _WEIGHT[kind]


def say(value: dict[str, Any]) -> None:
    """One line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def make(job: dict[str, Any]) -> None:
    """Write every file of a job."""
    layout = RoomPaths(Path(job["data"]))
    room_log = RoomLog(layout.log)
    try:
        hearing = Hearing.of(job["hearing"], room_log.of_hearing(job["hearing"]))
    finally:
        room_log.close()
    unseen = Unseen(tuple((int(start), int(end)) for start, end in job["unseen"]))
    if unseen and job["final"]:
        raise WutongError("签名的笔录不作节本 (signed words are whole, or are not made)")
    hearing = withheld(hearing, unseen)
    court, room = job["court_name"], job["room_name"]
    identity = _identity(layout, job) if job["final"] else None
    device = "" if identity is None else identity.in_words(court, room, stamped=bool(job["tsa_url"]))
    form = form_of(
        hearing, court_name=court, room_name=room, device=device, show_struck=bool(job["struck"]), excerpt=bool(unseen)
    )
    if job["final"] and (form.draft or form.version is None or form.version.sha256 != job["words"]):
        raise WutongError("笔录在制作期间被修改 (the words have changed meanwhile; they are to be signed again)")
    progress = _Progress(list(job["files"]))
    for kind, name in job["files"].items():
        path = Path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_made(kind, hearing, form, identity, job, progress.of(kind)))
        except Exception as error:  # noqa: BLE001  # one library's defect over these words must not take others along
            traceback.print_exc()
            say({"failed": kind, "why": _why(error)})
        else:
            say({"made": kind})
        progress.finished(kind)


def _identity(layout: RoomPaths, job: dict[str, Any]) -> Identity | None:
    return identity_of(layout, job["address"], dt.datetime.now(dt.UTC), RoomSigner(layout.signer_socket))


def _made(
    kind: str,
    hearing: Hearing,
    form: CourtForm,
    identity: Identity | None,
    job: dict[str, Any],
    progress: Callable[[float], None],
) -> bytes:
    # What a kind needs is loaded with it: that takes longer than to make it.
    if kind == "pdf":
        from edge.documents.pdf import pdf_of

        data = pdf_of(form, progress)
        if identity is None:
            return data
        from edge.documents.sign import sign_pdf, stamped_pdf

        if job["tsa_url"]:
            try:
                return stamped_pdf(data, identity, place=form.court, tsa_url=str(job["tsa_url"]))
            except LedgerError as error:  # the paper is made again, because it says whether there is a time-stamp
                say({"warning": error.message})
                device = identity.in_words(form.court, str(job["room_name"]), stamped=False)
                data = pdf_of(replace(form, device=device + "时间戳服务没有应答，本文件没有时间戳。"))
        return sign_pdf(data, identity, place=form.court)
    if kind == "docx":
        from edge.documents.docx import docx_of

        return docx_of(form, progress)
    return {"json": json_of, "srt": srt_of, "vtt": vtt_of}[kind](hearing, form)


def _why(error: Exception) -> str:
    if isinstance(error, WutongError):
        return error.message
    if isinstance(error, OSError):
        return f"{error.strerror}: {error.filename}"
    return f"{type(error).__name__}: {error}"


def main() -> int:
    """Read the job, do it, behind what serves screens."""
    weigh(NICE)
    try:
        make(json.loads(sys.stdin.read()))
    except WutongError as error:
        say({"error": error.message})
        return 1
    except OSError as error:
        say({"error": _why(error)})
        return 1
    say({"done": True})
    return 0


if __name__ == "__main__":
    sys.exit(main())
