"""What a self-test found: of each seat and camera, of the mix and of the way to the center; and how long that counts.

A test is passed when every seat, every camera and the mix have proven themselves; a center that cannot be reached
keeps no hearing from being recorded, so it keeps no test from being passed. A center that gives back other bytes does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Self, cast

from edge.state.shown import ProofState, ShownTestFinding, ShownTestResult
from hardware.profile import Profile
from sync.record.bodies.media import CameraViewBody, SelfTestBody, SelfTestedBody
from sync.record.event import Event
from sync.runtime.units import NS_PER_S

_OK: Mapping[bool | None, ProofState] = {True: "ok", False: "failed", None: "warn"}
NO_TEST = "selftest"
"""What stands in the way of an opening when no test counts."""


@dataclass(slots=True)
class SelfTestFinding:
    """`waiting` until something is known; `heard`: live, but not yet found in the file; `warn`: not proven, no harm."""

    state: ProofState = "waiting"
    why: str = ""

    def set(self, why: str) -> None:
        """Proven when there is nothing to say; a failure stays one."""
        if self.state != "failed":
            self.state, self.why = ("failed", why) if why else ("ok", "")

    @property
    def ok(self) -> bool | None:
        """As events say it."""
        return {"ok": True, "warn": None}.get(self.state, False)

    def to_json(self) -> ShownTestFinding:
        """For the screens."""
        return {"state": self.state, "why": self.why}


@dataclass(slots=True)
class SelfTestResult:
    """One test, while it runs and after."""

    id: str
    mode: Literal["tone", "speech"]
    seats: dict[str, SelfTestFinding]
    cameras: dict[str, SelfTestFinding]
    mix: SelfTestFinding = field(default_factory=SelfTestFinding)
    server: SelfTestFinding = field(default_factory=SelfTestFinding)
    utc_ns: int = 0
    """When it was over."""
    views: dict[str, CameraViewBody] = field(default_factory=dict)
    """Which seats the clerk saw in each camera's picture: no machine here can tell a judge from a witness."""

    @classmethod
    def begin(cls, test: str, mode: Literal["tone", "speech"], profile: Profile) -> Self:
        """Nothing is known yet."""
        return cls(
            test,
            mode,
            {s.id: SelfTestFinding() for s in profile.seats},
            {c.id: SelfTestFinding() for c in profile.cameras},
        )

    @classmethod
    def of_event(cls, event: Event) -> Self:
        """What was found when the event was said; `KeyError`, `TypeError` or `ValueError` when it is none."""
        body = cast(SelfTestBody, event.body)

        def finding(value: SelfTestedBody) -> SelfTestFinding:
            return SelfTestFinding(_OK[value["ok"]], str(value["why"]))

        return cls(
            str(body["id"]),
            "speech" if body["mode"] == "speech" else "tone",
            {str(k): finding(v) for k, v in body["seats"].items()},
            {str(k): finding(v) for k, v in body["cameras"].items()},
            finding(body["mix"]),
            finding(body["server"]),
            int(body.get("tested_utc_ns", event.utc_ns)),
            {
                str(camera): {"seats": [str(seat) for seat in view["seats"]], "utc_ns": int(view["utc_ns"])}
                for camera, view in body.get("views", {}).items()
            },
        )

    def keep_views(self, before: SelfTestResult, profile: Profile) -> None:
        """What was seen in a camera is so until it is looked at again, as long as camera and seats are there."""
        seats = {seat.id for seat in profile.seats}
        cameras = {camera.id for camera in profile.cameras}
        self.views = {c: v for c, v in before.views.items() if c in cameras and set(v["seats"]) <= seats}

    def all(self) -> dict[str, SelfTestFinding]:
        """Every finding by its name: `seat/judge`, `camera/bench`, `mix`, `server`."""
        seats = {f"seat/{name}": finding for name, finding in self.seats.items()}
        cameras = {f"camera/{name}": finding for name, finding in self.cameras.items()}
        return {**seats, **cameras, "mix": self.mix, "server": self.server}

    def covers(self, profile: Profile) -> bool:
        """Whether it says something of every seat and camera: one that was plugged in since has proven nothing."""
        return {s.id for s in profile.seats} <= set(self.seats) and {c.id for c in profile.cameras} <= set(self.cameras)

    def failing(self) -> list[str]:
        """What has not proven itself."""
        return [name for name, finding in self.all().items() if finding.ok is False]

    def body(self, at_ns: int) -> SelfTestBody:
        """Of the event `selftest`."""

        def said(finding: SelfTestFinding) -> SelfTestedBody:
            return {"ok": finding.ok, "why": finding.why}

        body: SelfTestBody = {
            "id": self.id,
            "mode": self.mode,
            "at_ns": at_ns,
            "passed": not self.failing(),
            "seats": {name: said(finding) for name, finding in self.seats.items()},
            "cameras": {name: said(finding) for name, finding in self.cameras.items()},
            "mix": said(self.mix),
            "server": said(self.server),
        }
        if self.views:
            body["views"] = self.views
        return body

    def until_utc_ns(self, valid_hours: int) -> int:
        """How long it counts; 0 hours: until the next midnight of the room."""
        if valid_hours:
            return self.utc_ns + valid_hours * 3600 * NS_PER_S
        day = datetime.fromtimestamp(self.utc_ns / NS_PER_S).astimezone() + timedelta(days=1)
        return int(day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * NS_PER_S

    def to_json(self) -> ShownTestResult:
        """For the screens."""
        return {
            "id": self.id,
            "mode": self.mode,
            "seats": {name: finding.to_json() for name, finding in self.seats.items()},
            "cameras": {name: finding.to_json() for name, finding in self.cameras.items()},
            "mix": self.mix.to_json(),
            "server": self.server.to_json(),
            "views": {
                camera: {"seats": view["seats"], "at_utc_ms": view["utc_ns"] / 1_000_000}
                for camera, view in self.views.items()
            },
        }


def in_words(profile: Profile, names: Sequence[str], result: SelfTestResult | None) -> str:
    """What stands in the way, for people: `被告话筒（没有听到声音）`."""
    if NO_TEST in names:
        return "没有有效的设备自检"
    titles = {f"seat/{s.id}": f"{s.role}话筒" for s in profile.seats}
    titles |= {f"camera/{c.id}": f"摄像机“{c.name}”" for c in profile.cameras}
    titles |= {"mix": "现场混音", "server": "中心"}
    findings = {} if result is None else result.all()

    def why(name: str) -> str:
        finding = findings.get(name)
        return f"（{finding.why}）" if finding is not None and finding.why else ""

    return "、".join(titles.get(name, name) + why(name) for name in names)
