"""Who may sign in: one code per role, made at first start, and the sessions that were opened with them.

There is no default password. At first start every role gets a random readable code; its argon2 hash is kept in one
file (mode 0600) and the plain codes are written once to `codes.json` beside it (mode 0600), for the operator to hand
out and then delete. Sessions are kept in the same file by the hash of their token, so a restart signs nobody out and
a copy of the file opens nothing. Where several processes serve the same people their sessions are kept elsewhere
(`shares_sessions`), and the file has the codes alone. Guessing is slowed down per address (of IPv6 its
/64), and for nobody else: a code has 49 random bits, which no number of addresses gets through. Who has signed in from
a browser before is known there by a device cookie, and does not wait for what others at the same address do.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from sync.errors import AccessError, ConfigError
from sync.http.wire.connection import neighborhood
from sync.runtime.files.durable_files import replace_file

log = structlog.get_logger(__name__)

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""No 0/O, 1/I/L: a code is read from a paper and typed on a touch screen."""
CODE_LENGTH = 10

IDLE_S = 8 * 3600
"""A session that nobody used for so long ends: longer than the longest recess."""
ABSOLUTE_S = 24 * 3600
"""A session ends after so long in any case."""
MAX_SESSIONS = 500
"""Of guests and of those who came by a role's code."""
MOST_OF_PERSON = 10
"""Sessions of one person; with one more the one that rested longest ends."""

_FREE_FAILURES = 5
_MAX_DELAY_S = 300.0
_MAX_ADDRESSES = 10_000


def new_code() -> str:
    """A random code of about 49 bits, grouped for reading: `ABCD-EFGH-JK`."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return "-".join(text[i : i + 4] for i in range(0, CODE_LENGTH, 4))


def plain_code(code: str) -> str:
    """A code as it is compared: without its hyphens, in capitals."""
    return "".join(c for c in code.upper() if c.isalnum())


def write_private(path: Path, text: str) -> None:
    """Replace a file of mode 0600 in one step, on disk when it returns."""
    replace_file(path, text, private=True)


@dataclass(slots=True)
class Session:
    """Somebody who is signed in. Times are UTC seconds."""

    role: str
    name: str
    since_s: float
    used_s: float
    ended: bool = False
    grant: str = ""
    """Of a guest: what they were let in by, and for."""
    until_s: float | None = None
    """When the session ends in any case; a guest is told."""
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    """How logs name it: not its token, and nothing that opens anything."""
    person: str = ""
    """Who of the center's people; empty for guests, and for who came by the code of a role."""
    court: str = ""
    """Of a person: the court of the post in which they are signed in."""
    locked: bool = False
    """Whether its screen is locked: only what says so may be used until its person has shown who they are."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long sessions of a role last: at most as long as everybody's."""

    idle_s: float = IDLE_S
    absolute_s: float = ABSOLUTE_S


_EVERYBODYS = SessionLimits()


class Throttle:
    """Slows guessing down: each failure beyond the free ones doubles the wait of its address; threads may share it."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, address: str) -> None:
        """`AccessError` ("throttled") while this address has to wait."""
        with self._lock:
            wait = self._failures.get(neighborhood(address), (0, 0.0))[1] - self._now_s()
        if wait > 0:
            raise AccessError(f"登录尝试过多，请在 {wait:.0f} 秒后再试 (too many attempts; wait)", code="throttled")

    def failed(self, address: str) -> None:
        """Count a wrong code."""
        key = neighborhood(address)
        with self._lock:
            count = self._failures.pop(key, (0, 0.0))[0] + 1
            self._failures[key] = (count, self._now_s() + self._delay(count - _FREE_FAILURES, _MAX_DELAY_S))
            while len(self._failures) > _MAX_ADDRESSES:
                self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """Forget the failures of an address."""
        with self._lock:
            self._failures.pop(neighborhood(address), None)

    @staticmethod
    def _delay(over: int, most_s: float) -> float:
        return 0.0 if over < 0 else min(2.0 ** min(over, 20), most_s)


class People:
    """Codes and sessions of one server; all methods may block for some 50 ms (argon2) or a file sync."""

    def __init__(self, path: Path, state: dict[str, Any], *, now_s: Callable[[], float], shares_sessions: bool) -> None:
        """Use `open`."""
        self._path = path
        self._shares_sessions = shares_sessions
        self._hasher = PasswordHasher()
        self._now_s = now_s
        self._codes: dict[str, dict[str, str]] = state["codes"]
        kept = {} if shares_sessions else state["sessions"]
        self._sessions = {key: Session(**value) for key, value in kept.items()}
        self._saved_s = 0.0
        self._lock = threading.RLock()
        """Sessions are opened and ended in threads, and asked for in the event loop."""
        self._devices_key: str = state.get("devices_key") or secrets.token_hex(32)
        self._limits: Mapping[str, SessionLimits] = {}
        self.codes_open: Callable[[], bool] = lambda: True
        """Whether codes open a session now, and what they have opened lasts."""
        self.throttle = Throttle()

    def limit(self, limits: Mapping[str, SessionLimits]) -> None:
        """How long sessions of persons last, by their role; of who is not named as long as everybody's."""
        self._limits = limits

    @classmethod
    def open(
        cls,
        path: Path,
        people: Mapping[str, str],
        *,
        now_s: Callable[[], float] = time.time,
        shares_sessions: bool = False,
    ) -> People:
        """Read `path`; a role of `people` (role -> name) that has no code yet gets one, written to `codes.json`."""
        try:
            self = cls(path, _read_state(path), now_s=now_s, shares_sessions=shares_sessions)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path} cannot be read ({error}); move it away to get new sign-in codes") from error
        plain = self.plain_codes()
        for role, name in people.items():
            if role not in self._codes:
                plain[role] = new_code()
                self._codes[role] = {"name": name, "hash": self._hasher.hash(plain_code(plain[role]))}
                # The plain code first: a crash between the two then makes a new code, never a lost one.
                write_private(path.with_name("codes.json"), json.dumps(plain, indent=1) + "\n")
                self._save()
            self._codes[role]["name"] = name
        for role in set(self._codes) - set(people):
            del self._codes[role]
        return self

    def plain_codes(self) -> dict[str, str]:
        """role -> code as first written, empty when the operator has deleted `codes.json`."""
        path = self._path.with_name("codes.json")
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    def device(self, role: str) -> str:
        """A cookie for a browser in which `role` has signed in; worth nothing once the role's code is another."""
        told = f"{role}.{secrets.token_urlsafe(16)}"
        return f"{told}.{self._device_mac(told)}"

    def known_device(self, cookie: str) -> str:
        """What a device cookie is throttled by in place of its address; empty when it is none of ours."""
        told, _, mac = cookie.rpartition(".")
        if not (cookie.isascii() and len(cookie) < 200 and told.partition(".")[0] in self._codes):
            return ""
        return f"device {told}" if hmac.compare_digest(mac, self._device_mac(told)) else ""

    def _device_mac(self, told: str) -> str:
        code_hash = self._codes[told.partition(".")[0]]["hash"]
        return hmac.new(bytes.fromhex(self._devices_key), f"{told} {code_hash}".encode(), "sha256").hexdigest()

    def sign_in(self, code: str, address: str) -> tuple[str, Session]:
        """(token, session) for a right code; `AccessError` "code" or "throttled".

        `address`: what guesses are counted by, an address or a `known_device`.
        """
        self.throttle.check(address)
        if not self.codes_open():
            text = "共享登录码已停用，请用本人账号登录 (shared codes are closed; sign in as yourself)"
            raise AccessError(text, code="codes-closed")
        for role, entry in self._codes.items():
            if self._matches(entry["hash"], plain_code(code)):
                self.throttle.succeeded(address)
                token = secrets.token_urlsafe(32)
                now = self._now_s()
                session = Session(role, entry["name"], now, now)
                self._add(token, session)
                return token, session
        self.throttle.failed(address)
        raise AccessError("登录码不正确 (the code is not right)", code="code")

    def let_in(self, role: str, name: str, grant: str, until_s: float) -> tuple[str, Session]:
        """(token, session) for a guest, whom another part of the server lets in; their earlier sessions end."""
        self.end(grant)
        token, now = secrets.token_urlsafe(32), self._now_s()
        session = Session(role, name, now, now, grant=grant, until_s=until_s)
        self._add(token, session)
        return token, session

    def open_person(
        self, role: str, name: str, person: str, court: str, until_s: float | None = None
    ) -> tuple[str, Session]:
        """(token, session) for somebody whom another part of the server has recognized, in one of their posts, and not
        beyond `until_s`."""
        token, now = secrets.token_urlsafe(32), self._now_s()
        most_s = now + self._limits.get(role, _EVERYBODYS).absolute_s
        end_s = most_s if until_s is None else min(most_s, until_s)
        session = Session(role, name, now, now, until_s=end_s, person=person, court=court)
        self._add(token, session)
        return token, session

    def lock(self, session: Session, *, locked: bool) -> None:
        """Lock a session, or open it again; a restart keeps it so."""
        session.locked = locked
        self._keep_sessions()

    def of_person(self, person: str) -> dict[str, Session]:
        """Their sessions that last, by the hashes of their tokens."""
        with self._lock:
            return {k: s for k, s in self._sessions.items() if person and s.person == person and self.alive(s)}

    def end_keys(self, keys: Collection[str]) -> list[Session]:
        """End these sessions at once; those that were there."""
        with self._lock:
            gone = [session for key in keys if (session := self._sessions.pop(key, None)) is not None]
        for session in gone:
            session.ended = True
        if gone:
            self._keep_sessions()
        return gone

    def _add(self, token: str, session: Session) -> None:
        with self._lock:
            self._sessions[key_of(token)] = session
            self._prune()
        self._keep_sessions()

    def end(self, grant: str) -> None:
        """End the sessions of a guest at once."""
        with self._lock:
            for key, session in list(self._sessions.items()):
                if session.grant and session.grant == grant:
                    self._sessions.pop(key).ended = True
        self._keep_sessions()

    def session(self, token: str) -> Session | None:
        """Who holds this token, if the session still lasts; counts as use of it."""
        session = self._sessions.get(key_of(token)) if token else None
        return session if session is not None and self.keep(session) else None

    def keep(self, session: Session) -> bool:
        """Whether a session still lasts; counts as use of it."""
        if not self.alive(session):
            return False
        session.used_s = self._now_s()
        if session.used_s - self._saved_s > 600:
            self._keep_sessions()
        return True

    def alive(self, session: Session) -> bool:
        """Whether a session has neither ended nor timed out."""
        now = self._now_s()
        rested, lasted = now - session.used_s, now - session.since_s
        over = session.until_s is not None and now >= session.until_s
        idle_s = self._limits.get(session.role, _EVERYBODYS).idle_s if session.person else IDLE_S
        closed = not (session.person or session.grant or self.codes_open())
        return not (session.ended or over or closed) and rested < idle_s and lasted < ABSOLUTE_S

    def sign_out(self, token: str) -> None:
        """End a session at once."""
        with self._lock:
            session = self._sessions.pop(key_of(token), None)
        if session is not None:
            session.ended = True
            self._keep_sessions()

    # What another process does with them.

    def known(self) -> dict[str, Session]:
        """All sessions that have not ended, by the hashes of their tokens."""
        with self._lock:
            return dict(self._sessions)

    def put(self, key: str, session: Session) -> None:
        """A session was opened, or used, elsewhere."""
        with self._lock:
            mine = self._sessions.setdefault(key, session)
            mine.used_s = max(mine.used_s, session.used_s)

    def drop(self, key: str) -> Session | None:
        """A session was ended elsewhere; it, if it was known here."""
        with self._lock:
            session = self._sessions.pop(key, None)
        if session is not None:
            session.ended = True
        return session

    def code_digests(self) -> dict[str, str]:
        """role -> what tells its code from another."""
        return {role: hashlib.sha256(entry["hash"].encode()).hexdigest() for role, entry in self._codes.items()}

    def read_codes_again(self) -> None:
        """Codes were made anew by another process; `OSError` or `ValueError` when the file cannot be read."""
        state = _read_state(self._path)
        for role, entry in self._codes.items():
            entry["hash"] = str(state["codes"].get(role, {}).get("hash", ""))
        self._devices_key = state.get("devices_key") or self._devices_key

    def _matches(self, known: str, code: str) -> bool:
        try:
            return self._hasher.verify(known, code)
        except (VerifyMismatchError, InvalidHashError):
            return False

    def _prune(self) -> None:
        self._sessions = {k: s for k, s in self._sessions.items() if self.alive(s)}
        of: dict[str, list[str]] = {}
        for key in sorted(self._sessions, key=lambda k: self._sessions[k].used_s, reverse=True):
            of.setdefault(self._sessions[key].person, []).append(key)
        for person, keys in of.items():
            for key in keys[MOST_OF_PERSON if person else MAX_SESSIONS :]:
                self._sessions.pop(key).ended = True

    def _keep_sessions(self) -> None:
        """Save what a restart should know; on a full disk people can still sign in and out until then."""
        if self._shares_sessions:
            self._saved_s = self._now_s()
            return
        try:
            self._save()
        except OSError as error:
            log.error("sessions_not_kept", file=str(self._path), why=error.strerror)

    def _save(self) -> None:
        with self._lock:  # one writer of the file, and nobody changes what it writes
            self._saved_s = self._now_s()
            mine = {} if self._shares_sessions else self._sessions
            sessions = {key: asdict(session) for key, session in mine.items()}
            state = {"codes": self._codes, "sessions": sessions, "devices_key": self._devices_key}
            write_private(self._path, json.dumps(state, ensure_ascii=False))


def _read_state(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return dict(json.loads(text)) if text else {"codes": {}, "sessions": {}}


def key_of(token: str) -> str:
    """By what a session is kept."""
    # The token has 256 random bits: a fast hash is enough, there is nothing to guess.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
