"""What a room or the center shows and trusts when it connects: three files, and one context that follows them.

Until the files are there the context trusts nobody, so that every connection fails and is tried again. `follow` takes
what is new from the next handshake on: an authority that was replaced, as by an enrollment at another center, is
trusted no more. Connections that stand are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog

from sync.errors import ConfigError
from sync.tls.contexts import client_context, load_own, trust
from sync.tls.followed_context import FollowedContext

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the authority's certificate, our own and its key are."""

    authority: Path
    certificate: Path
    key: Path


class TlsIdentity:
    """Methods may block for some milliseconds."""

    def __init__(self, files: TlsFiles) -> None:
        self.files = files
        self.context = FollowedContext()
        """Of every connection; the same object for ever."""
        self._seen: tuple[int, ...] = ()
        self._why = ""
        self.follow()

    @property
    def is_whole(self) -> bool:
        """Whether there is something to show and somebody to trust."""
        return bool(self._seen)

    @property
    def is_outdated(self) -> bool:
        """Whether the files are not those that were taken, or cannot be asked: `follow` says more."""
        try:
            return self._times() != self._seen
        except OSError:
            return True

    def _times(self) -> tuple[int, ...]:
        files = self.files
        return tuple(path.stat().st_mtime_ns for path in (files.authority, files.certificate, files.key))

    def follow(self) -> bool:
        """Take the files as they are now; whether anything was taken."""
        try:
            seen = self._times()
            if seen == self._seen:
                return False
            context = client_context()
            load_own(context, self.files.certificate, self.files.key)
            trust(context, self.files.authority)
            self.context.take(context)
        except FileNotFoundError:
            return False
        except (OSError, ConfigError) as error:
            if str(error) != self._why:
                self._why = str(error)
                log.warning("certificate_unusable", why=self._why, next="enroll this room again")
            return False
        self._seen, self._why = seen, ""
        return True
