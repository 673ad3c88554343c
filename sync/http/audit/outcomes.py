"""What became of each request of a person, and the trail that is kept of it: stretches, not requests.

The gate (`sync.http.rights.access`) tells every outcome, taken from the status that is answered, so no route can forget
it. A `RequestTrail` makes lines of them: one when somebody begins to do a thing, at once, and one with the count when
they have not done it again for a while. What a page asks again and again is one stretch, so the trail grows with what
people do and not with what programs do. Of what was refused or failed, the first different ones of a session and
minute are lines; the others are counted in one line, and none is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.http.rights.people import Session
from sync.http.rights.rules import SAFE_METHODS

IDLE_S = 60.0
LONGEST_S = 3600.0
"""A stretch that goes on for so long has a line in between."""
FREE_LINES = 10
MINUTE_S = 60.0
MAX_OPEN = 5000
"""Stretches that are open at once; the oldest are ended before their time."""
MAX_PARTS = 40
"""Of a stretch that one line names. With the next one another stretch begins, so that each part is named in a line:
else who looked at forty harmless pages first would be seen to look at no others."""
WEBSOCKET = "WS"
OPENED = 101
"""The status of a WebSocket that was accepted."""
_REFUSALS = (401, 403)
_PARTS = ("page", "track", "line", "name", "sha256", "rest", "path")
"""Of a path: the parts of one thing. Who looks at them one after the other looks at that thing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request of somebody who is signed in, and what it was answered with."""

    session: Session
    address: str
    method: str
    """Of HTTP, or `WEBSOCKET`."""
    route: str
    """The template of the route: `/api/hearings/{hearing}`."""
    params: Mapping[str, str]
    """What stands for the names in the template."""
    status: int
    code: str = ""
    """Of the error, where there was one."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """What the route adds: the hearing where the path does not name it, how many were found."""

    @property
    def hearing(self) -> str:
        """The hearing that was asked for, or nothing."""
        return str(self.said.get("hearing", self.params.get("hearing", "")))

    @property
    def reads(self) -> bool:
        """Whether something was shown, and nothing changed."""
        return self.status < 400 and (self.method in SAFE_METHODS or self.method == WEBSOCKET)


@dataclass(frozen=True, slots=True)
class TrailLine:
    """A line of the trail. `what`: `view`, `act`, `refused` or `failed`, and `viewed`, `acted` … when it is over."""

    what: str
    role: str
    address: str
    detail: Mapping[str, Any]
    person: str = ""
    """Who it was, where it is somebody whom the server knows by name."""


@dataclass(slots=True)
class _RequestStretch:
    what: str
    role: str
    person: str
    address: str
    detail: dict[str, Any]
    began_s: float
    seen_s: float
    count: int = 1
    lasting: bool = False
    held: int = 0
    """WebSockets of it that are open; `lasting` when there were any."""
    parts: dict[str, None] = field(default_factory=dict)


_Key = tuple[object, ...]
_ENDED = {"view": "viewed", "act": "acted", "refused": "refused", "failed": "failed"}


class RequestTrail:
    """All methods belong to one thread. Times are seconds of any steady clock."""

    def __init__(self) -> None:
        self._open: dict[_Key, _RequestStretch] = {}
        self._minute_s: float | None = None
        self._lines: Counter[str] = Counter()
        self._more: dict[str, tuple[Outcome, Counter[str]]] = {}
        self._over: list[TrailLine] = []

    def took(self, outcome: Outcome, now_s: float) -> TrailLine | None:
        """The line with which this begins; None for what goes on, or is counted."""
        what, key = _what(outcome), stretch_of(outcome)
        stretch = self._open.get(key)
        if stretch is None:
            if what in ("refused", "failed") and not self._is_free(outcome, now_s):
                return None
            who = outcome.session
            stretch = _RequestStretch(what, who.role, who.person, outcome.address, _detail(outcome), now_s, now_s)
            self._open[key] = stretch
            self._bound(now_s)
        else:
            if len(stretch.parts) >= MAX_PARTS and not _parts_of(outcome) <= stretch.parts.keys():
                self._end(key, now_s, whole=False)
            stretch.count += 1
            stretch.seen_s = now_s
            stretch.detail |= {name: value for name, value in outcome.said.items() if name != "hearing"}
        stretch.parts |= dict.fromkeys(sorted(_parts_of(outcome)))
        if outcome.status == OPENED:
            stretch.held += 1
            stretch.lasting = True
        if stretch.count > 1:
            return None
        return _line(stretch, stretch.what)

    def closed(self, outcome: Outcome, now_s: float) -> None:
        """A WebSocket that was `OPENED` has ended."""
        stretch = self._open.get(stretch_of(outcome))
        if stretch is not None and stretch.held:
            stretch.held -= 1
            stretch.seen_s = now_s

    def forget(self, outcome: Outcome) -> None:
        """What began with this outcome could not be kept, and was not done."""
        self._open.pop(stretch_of(outcome), None)

    def due(self, now_s: float, *, now: bool = False) -> list[TrailLine]:
        """The lines of what is over, or of all that is open (`now`); call every few seconds."""
        for key, stretch in list(self._open.items()):
            over = now or (not stretch.held and now_s - stretch.seen_s > IDLE_S)
            if over or now_s - stretch.began_s > LONGEST_S:
                self._end(key, now_s, whole=over)
        if now or (self._minute_s is not None and now_s - self._minute_s >= MINUTE_S):
            self._over += [_counted(outcome, codes) for outcome, codes in self._more.values()]
            self._minute_s = None
            self._lines, self._more = Counter(), {}
        lines, self._over = self._over, []
        return lines

    def _is_free(self, outcome: Outcome, now_s: float) -> bool:
        self._minute_s = now_s if self._minute_s is None else self._minute_s
        who = outcome.session.id
        if self._lines[who] < FREE_LINES:
            self._lines[who] += 1
            return True
        _, codes = self._more.setdefault(who, (outcome, Counter()))
        codes[f"{outcome.status} {outcome.code}".strip()] += 1
        return False

    def _bound(self, now_s: float) -> None:
        while len(self._open) > MAX_OPEN:
            self._end(next(iter(self._open)), now_s)

    def _end(self, key: _Key, now_s: float, *, whole: bool = True) -> None:
        stretch = self._open[key]
        if whole:
            del self._open[key]
        if stretch.count > 1 or stretch.lasting:
            until_s = now_s if stretch.held else stretch.seen_s
            stretch.detail |= {"times": stretch.count, "seconds": round(until_s - stretch.began_s)}
            self._over.append(_line(stretch, _ENDED[stretch.what]))
        if not whole:
            stretch.began_s, stretch.count, stretch.parts = now_s, 0, {}


def _what(outcome: Outcome) -> str:
    if outcome.status in _REFUSALS:
        return "refused"
    if outcome.status >= 400:
        return "failed"
    return "view" if outcome.reads else "act"


def stretch_of(outcome: Outcome) -> _Key:
    """Which stretch a request belongs to."""
    things = tuple(sorted((name, value) for name, value in outcome.params.items() if name not in _PARTS))
    status = outcome.status if outcome.status >= 400 else 200
    return outcome.session.id, outcome.method, outcome.route, things, outcome.hearing, status, outcome.code


def _parts_of(outcome: Outcome) -> set[str]:
    return {outcome.params[name][:100] for name in _PARTS if name in outcome.params}


def _detail(outcome: Outcome) -> dict[str, Any]:
    session = outcome.session
    said: dict[str, Any] = {"route": f"{outcome.method} {outcome.route}", "status": outcome.status}
    if outcome.hearing:
        said["hearing"] = outcome.hearing[:100]
    if outcome.code:
        said["code"] = outcome.code
    if session.grant:
        said |= {"grant": session.grant, "name": session.name}
    things = {name: value[:100] for name, value in outcome.params.items() if name not in (*_PARTS, "hearing")}
    more = {name: value for name, value in outcome.said.items() if name != "hearing"}
    return {**said, **things, **more, "session": session.id}


def _line(stretch: _RequestStretch, what: str) -> TrailLine:
    parts = {"parts": list(stretch.parts)} if stretch.parts else {}
    return TrailLine(what, stretch.role, stretch.address, {**stretch.detail, **parts}, stretch.person)


def _counted(outcome: Outcome, codes: Counter[str]) -> TrailLine:
    detail = {"more": codes.total(), "of": dict(codes.most_common(20)), "session": outcome.session.id}
    return TrailLine("refused", outcome.session.role, outcome.address, detail, outcome.session.person)
