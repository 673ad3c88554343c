"""Bodies of what the recorder says of its files, of what is missing, of what is wrong and of the clock."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from typing_extensions import TypedDict

from sync.record.bodies.limits import INT64, UNCHECKED, Limits, Name, Ns, Sha256, Short


class SegmentBody(TypedDict):
    """Body of `segment`: a closed file; `file` is relative to the hearing's folder."""

    track: Name
    index: Annotated[int, Limits(strict=True, ge=0, le=10_000_000)]
    file: Annotated[str, Limits(max_length=300)]
    bytes: Annotated[int, Limits(strict=True, ge=0, le=INT64)]
    sha256: Sha256
    sm3: NotRequired[Annotated[str, UNCHECKED]]
    """Not in hearings of before it was taken."""
    from_ns: Ns
    to_ns: Ns
    fragments: NotRequired[Annotated[int, UNCHECKED]]
    mime: NotRequired[Short]


class GapBody(TypedDict):
    """Body of `gap`: media of a track that does not exist."""

    track: str
    from_ns: int
    to_ns: int
    why: str


class AlarmBody(TypedDict):
    """Body of `alarm`; `cleared` when it is over."""

    code: str
    subject: str
    text: str
    cleared: NotRequired[bool]


class UtcSource(TypedDict):
    """Where UTC comes from, and by how much it may be off; null where nobody knows."""

    source: str
    error_ms: float | None


class ClockBody(UtcSource):
    """Body of `clock`; `by_ns` 0 is no step: it only says what UTC is worth."""

    by_ns: int


class SelfTestedBody(TypedDict):
    """What a self-test found of one device; `ok` null: not proven, and in nobody's way."""

    ok: bool | None
    why: str


class CameraViewBody(TypedDict):
    """Which seats the clerk saw in a camera's picture, and when."""

    seats: list[str]
    utc_ns: int


class SelfTestBody(TypedDict):
    """Body of `selftest`, which belongs to no hearing; said again when the clerk has looked at a camera's picture."""

    id: str
    mode: Literal["tone", "speech"]
    at_ns: int
    passed: bool
    seats: dict[str, SelfTestedBody]
    cameras: dict[str, SelfTestedBody]
    mix: SelfTestedBody
    server: SelfTestedBody
    views: NotRequired[dict[str, CameraViewBody]]
    """camera -> what was seen in it; no camera that nobody has looked at."""
    tested_utc_ns: NotRequired[int]
    """When the test was over, where the event was said later."""


class AccessBody(TypedDict):
    """Body of `access`, which belongs to no hearing: somebody looked at a record in the room, took it along, signed in
    or was refused; or the room keeps a head of the center's audit log."""

    what: Literal[
        "export",
        "verify",
        "sign-in",
        "sign-out",
        "view",
        "viewed",
        "act",
        "acted",
        "refused",
        "failed",
        "audit-head",
        "audit-back",
    ]
    hearing: NotRequired[str]
    excerpt: NotRequired[bool]
    reason: NotRequired[str]
    role: NotRequired[str]
    address: NotRequired[str]
    detail: NotRequired[dict[str, Any]]
    """The route, what it was answered with, how often and how long."""
    note: NotRequired[str]
    """The head as the center signed it, countersigned by this device."""
