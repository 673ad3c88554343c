"""`wutong verify --audit` and `wutong export --audit`."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server.config import load_config
from server.integrity.enrollment import center_key
from server.store.audit_rows import append_rows
from sync.errors import ConfigError, LedgerError
from sync.ledger.audit_head import read_head
from sync.runtime.units import NS_PER_S
from wutong.audit.copy import AuditCopy
from wutong.audit.folder import read_folder, write_folder
from wutong.audit.judge import AuditJudgment, judge_audit
from wutong.audit.store import copy_of_store, held_by_room, opened_store
from wutong.terminal import terminal
from wutong.verify.verdict import Verdict, false

MOST = 40


def verify(
    folder: str | None,
    *,
    config: Path | None,
    key: Ed25519PublicKey | None,
    roots: Sequence[x509.Certificate],
    rooms: Sequence[Path],
    as_json: bool,
    lang: str,
) -> int:
    """Judge the log of a folder, or of the center of `config`; `rooms`: data folders of rooms. The exit code."""
    if (folder is None) == (config is None):
        raise ConfigError("say either the folder of an exported audit log, or --config FILE at the center")
    try:
        if config is not None:
            loaded = load_config(config)
            database = opened_store(loaded)
            try:
                copy = copy_of_store(database)
            finally:
                database.close()
            key = key or center_key(loaded.storage.data).public_key()
        else:
            copy = read_folder(Path(str(folder)))
        copy.held += [held for room in rooms for held in held_by_room(room)]
        judgment = judge_audit(copy, key, roots)
    except LedgerError as error:
        judgment = AuditJudgment(0, (false("audit-unreadable", error.message),))
    _print(judgment, as_json=as_json, lang=lang)
    return int(judgment.verdict)


def export(out: Path, *, config: Path, begin: str | None, end: str | None) -> int:
    """Write the signed rows, or those of the days or moments [begin, end]; how many rows. It is a row itself."""
    loaded = load_config(config)
    key = center_key(loaded.storage.data).public_key()
    database = opened_store(loaded)
    try:
        copy = copy_of_store(database)
        signed = max((read_head(head.note, key)[1].size for head in copy.heads), default=0)
        if not signed or signed > len(copy.leaves):
            raise ConfigError("no head over these rows is signed; look at `wutong verify --audit --config FILE` first")
        stretch = _stretch(copy, signed, _moment(begin, last=False), _moment(end, last=True))
        detail = json.dumps({"audit": True, "from": begin, "to": end}, ensure_ascii=False)
        row = {"utc_ns": time.time_ns(), "what": "export", "role": "operator", "address": "local", "granted": True}
        asyncio.run(database.write(lambda connection: append_rows(connection, [{**row, "detail": detail}])))
        count = write_folder(copy, out, signed, stretch)
    finally:
        database.close()
    later = len(copy.leaves) - signed
    said = f"{out}: {count} 行 rows, 已签名 signed {signed}, 尚未签名 not signed yet {later}"
    terminal(stderr=True).print(said, highlight=False, markup=False)
    return count


def _stretch(copy: AuditCopy, signed: int, begin_ns: int | None, end_ns: int | None) -> tuple[int, int] | None:
    """Places of the rows from the first to the last that was written in that time."""
    if begin_ns is None and end_ns is None:
        return None
    try:
        places = [
            place
            for place, leaf in enumerate(copy.leaves[:signed])
            if leaf.now is not None
            and (begin_ns is None or leaf.now.utc_ns >= begin_ns)
            and (end_ns is None or leaf.now.utc_ns < end_ns)
        ]
    except TypeError as error:  # somebody has put something else in its place
        raise ConfigError("a row has no moment; look at `wutong verify --audit --config FILE` first") from error
    if not places:
        raise ConfigError("the audit log has no signed row of that time; look at --from and --to")
    return places[0], places[-1] + 1


def _moment(text: str | None, *, last: bool) -> int | None:
    """UTC in nanoseconds of a day (its beginning, or its end) or of a moment, in this machine's zone where none is."""
    if text is None:
        return None
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no day (2026-11-29) and no moment (2026-11-29T14:30)") from error
    if last and len(text) == len("2026-11-29"):
        at += dt.timedelta(days=1)
    return int(at.astimezone().timestamp()) * NS_PER_S


_STYLES = {Verdict.AUTHENTIC: "bold green", Verdict.NOT_AUTHENTIC: "bold red"}


def _print(judgment: AuditJudgment, *, as_json: bool, lang: str) -> None:
    if as_json:
        print(json.dumps(judgment.to_json(), ensure_ascii=False))
        return
    console, verdict = terminal(highlight=False, soft_wrap=True), judgment.verdict
    words = f"审计日志，共 {judgment.rows} 行" if lang == "zh" else f"audit log, {judgment.rows} rows"
    console.print(words, markup=False)
    text = f"{verdict.text(lang)}  [{verdict.word}, {int(verdict)}]"
    console.print(text, style=_STYLES.get(verdict, "bold yellow"), markup=False)
    for reason in judgment.reasons[:MOST]:
        mark = "·" if reason.verdict is Verdict.AUTHENTIC else "✗"
        console.print(f" {mark} {reason.text(lang)} ({reason.code})", markup=False)
    if len(judgment.reasons) > MOST:
        console.print(f"   … +{len(judgment.reasons) - MOST}", markup=False)
