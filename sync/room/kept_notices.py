"""What the center said of the sight of a room's hearings, as the room keeps it on its disk."""

from __future__ import annotations

import json
from pathlib import Path

import structlog

from sync.record.notice import MOST_NOTICES, HearingNotice, KeptNotices
from sync.runtime.files.durable_files import replace_file

log = structlog.get_logger(__name__)


def read_notices(path: Path, hearings: Path, *more: str) -> dict[str, HearingNotice]:
    """hearing -> what was said last; nothing where nothing was said.

    Of what cannot be read nobody knows what it hid. So it hides: the hearing of a notice that cannot be read, and every
    hearing with a folder below `hearings`, and `more`, where the file does not say which it is; until the center says
    it again.
    """
    try:
        said = json.loads(path.read_bytes())["notices"]
        return {notice.hearing: notice for notice in (_read(one) for one in said)}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        next_step = "what it said is taken as withdrawn until the center says it again"
        log.error("notices_unreadable", why=str(error)[:200], next=next_step)
        try:
            names = {*more, *(folder.name for folder in hearings.iterdir() if folder.is_dir())}
        except OSError:
            names = set(more)
        return {name: HearingNotice(hearing=name, level="withdrawn") for name in sorted(names)[-MOST_NOTICES:]}


def keep_notices(path: Path, notices: dict[str, HearingNotice]) -> None:
    """Replace the file, private and on disk when it returns; `OSError`."""
    replace_file(path, KeptNotices(notices=list(notices.values())).model_dump_json(), private=True)


def _read(said: object) -> HearingNotice:
    try:
        return HearingNotice.model_validate(said)
    except ValueError:
        if not isinstance(said, dict):
            raise
        return HearingNotice(hearing=said["hearing"], level="withdrawn")
