"""What the center said of the sight of a room's hearings, as the room keeps it on its disk."""

from __future__ import annotations

from pathlib import Path

import structlog

from sync.record.notice import HearingNotice, KeptNotices

log = structlog.get_logger(__name__)


def read_notices(path: Path) -> dict[str, HearingNotice]:
    """hearing -> what was said last; nothing where nothing was said, or where it cannot be read: the center says it
    again."""
    try:
        kept = KeptNotices.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("notices_unreadable", why=str(error)[:200], next="the center says them again")
        return {}
    return {notice.hearing: notice for notice in kept.notices}
