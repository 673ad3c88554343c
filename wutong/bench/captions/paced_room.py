"""One hearing folder played to a real recorder and a real transcriber, in real time, and what a panel would have got.

A room of its own is started on a temporary profile: simulated microphones play the folder, the recorder keeps and
publishes them, the transcriber hears the recorder. Promises: captions and utterances are stamped when they arrive on
the transcriber's feed, and the lines are the fold of the room's log. The transcriber's own times of a turn only explain
these figures, they are none.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
from rich.progress import Progress

from hardware.profile import load_profile
from hardware.simulation.cue import Play, announce
from hardware.simulation.hearing_folder import HearingFolder
from sync.errors import WutongError
from sync.media.tracks import MICROPHONES
from sync.record.hearing import Hearing
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient
from sync.room.paths import RoomPaths
from sync.runtime.process.service import cancel_and_wait
from transcriber.audio.pcm import RATE_HZ
from wutong.bench.captions.character_errors import ShownWords, Spoken
from wutong.bench.captions.late_turns import times_in_s

HEARING = "bench"
_SERVICES = ("recorder", "transcriber")
_START_TIMEOUT_S = 120
_DRAIN_TIMEOUT_S = 900
_LEAST_LEAD_S = 2.0


@dataclass(slots=True)
class HeardFeed:
    """What came over the transcriber's feed and log; times in seconds of the recording."""

    captions: list[ShownWords] = field(default_factory=list)
    utterances: list[ShownWords] = field(default_factory=list)
    """As the engine heard them."""
    lines: list[ShownWords] = field(default_factory=list)
    """As they stand in the transcript after every revision."""
    revisions: int = 0
    times: dict[str, dict[str, Any]] = field(default_factory=dict)
    """When each turn passed its stations, by the utterance's id (`late_turns.times_in_s`)."""
    gap_ms: float = 0.0
    """Sound that the recorder declared lost: nobody can hear what was said in it."""
    cpu_cores: float = 0.0
    """Of the transcriber and its model process, mean over the play."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """The room's utterances and revisions as they are in its log: `number,kind,room_ns,body`."""
    start_ns: int = 0
    """The room time of the first sample."""

    def to_json(self) -> dict[str, Any]:
        """All of it, to look at and to give to another benchmark."""
        return asdict(self)

    def before(self, seconds: float) -> HeardFeed:
        """Without the utterances that begin later: a sentence that the end of a short run cut in two."""
        return replace(
            self,
            utterances=[u for u in self.utterances if u.start_s < seconds],
            lines=[u for u in self.lines if u.start_s < seconds],
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """How the room of a run is set up."""

    transcriber: Mapping[str, Any] = field(default_factory=dict)
    """The profile's table `transcriber`."""
    case: Mapping[str, Any] = field(default_factory=dict)
    """What the docket knows of the case; empty: nothing."""


def write_profile(
    folder: Path, source: HearingFolder, setting: Setting, panel: Mapping[str, Any] | None = None
) -> Path:
    """A room whose microphones play `source`, with the smallest camera there is."""
    lines = [
        "[room]",
        'court = "bench"',
        'room = "captions"',
        'court_name = "测试法院"',
        'room_name = "测试法庭"',
    ]
    for channel, roles in sorted(source.roles.items()):
        lines += ["[[seats]]", f'id = "seat-{channel}"', f"roles = {toml_value(roles)}", f"channel = {channel}"]
    lines += ["[microphones]", 'driver = "simulated"', f"file = {toml_value(str(source.path.resolve()))}"]
    lines += [f"channels = {source.channels}", f"rate_hz = {RATE_HZ}"]
    lines += ["[[cameras]]", 'id = "view"', 'name = "全景"', 'driver = "simulated"']
    lines += [f"file = {toml_value(str(source.path.resolve()))}", "width = 320", "height = 180", "fps = 5"]
    lines += ["[storage]", 'data = "data"', "reserve_gib = 0"]
    lines += ["[transcriber]", *(f"{key} = {toml_value(value)}" for key, value in setting.transcriber.items())]
    lines += ["[panel]", *(f"{key} = {toml_value(value)}" for key, value in (panel or {}).items())]
    profile = folder / "room.toml"
    text = "\n".join(lines) + "\n"
    tomllib.loads(text)  # roles are words of the hearing's author: say at once if they cannot be written
    profile.write_text(text, encoding="utf-8")
    return profile


def toml_value(value: object) -> str:
    """A string, number, boolean, list or flat table as TOML writes it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)  # the rest looks alike in both


async def play(
    folder: Path, source: HearingFolder, plays_s: float, setting: Setting, progress: Progress, label: str
) -> HeardFeed:
    """Play the first `plays_s` seconds in the empty folder `folder`, with a bar called `label`."""
    folder.mkdir(parents=True, exist_ok=True)
    profile = write_profile(folder, source, setting)
    layout = RoomPaths(load_profile(profile).storage.data)
    clock = RoomClock.open(layout.clock)
    log = RoomLog(layout.log)
    children: list[asyncio.subprocess.Process] = []
    bar = progress.add_task(f"{label}: starting recorder and transcriber", total=None)
    try:
        for service in _SERVICES:
            children.append(await _start(service, profile, folder))
        await _until(layout, "recorder", _sound_runs, children)
        await _until(layout, "transcriber", lambda status: status.get("state") == "ready", children)
        lead_s = await _lead_s(source)
        start_ns = clock.now_ns() + int(lead_s * 1e9)
        _say(log, clock, "open", {"case": dict(setting.case), "seats": [], "tracks": []})
        announce(layout.stage, Play(clock.to_monotonic_ns(start_ns), source.path.resolve()))
        heard = HeardFeed()
        listening = asyncio.create_task(_listen(layout, clock, log, start_ns, heard))
        try:
            await asyncio.sleep(lead_s)
            progress.update(bar, description=f"{label}: in real time", total=plays_s)
            before, began = _cpu_s(children[1]), time.monotonic()
            while (clock.now_ns() - start_ns) / 1e9 < plays_s:
                await asyncio.sleep(0.5)
                progress.update(bar, completed=(clock.now_ns() - start_ns) / 1e9)
                _alive(children)
            heard.cpu_cores = (_cpu_s(children[1]) - before) / (time.monotonic() - began)
            close = _say(log, clock, "close", {})
            progress.update(bar, description=f"{label}: the last words", total=None)
            await _drained(layout, close, children, label)
            _read_log(log, start_ns, heard)
        finally:
            await cancel_and_wait(listening)
        return heard
    except _EndedError as error:
        said = (folder / f"{error.name}.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise WutongError(f"{error.message}; its last words: {said[-1] if said else 'none'}") from None
    finally:
        progress.remove_task(bar)
        for child in reversed(children):
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        for child in children:
            await child.wait()
        log.close()


async def _lead_s(source: HearingFolder) -> float:
    """How long before the play it is announced: the simulated microphones decode it first, and may join late."""
    began = time.monotonic()
    await asyncio.to_thread(source.samples, RATE_HZ)
    return max(_LEAST_LEAD_S, 3 * (time.monotonic() - began))


async def _start(service: str, profile: Path, folder: Path) -> asyncio.subprocess.Process:
    with (folder / f"{service}.log").open("wb") as errors:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "wutong", "room", service, "--profile", str(profile)),
            stderr=errors,
            start_new_session=True,  # as the demo starts them: the kernel weighs each service apart
        )


def _alive(children: list[asyncio.subprocess.Process]) -> None:
    for name, child in zip(_SERVICES, children, strict=False):
        if child.returncode is not None:
            raise _EndedError(name, child.returncode)


class _EndedError(WutongError):
    """A service that is measured is gone."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"the {name} ended by itself (exit code {code}); run `wutong doctor`")
        self.name = name


def _sound_runs(status: dict[str, Any]) -> bool:
    return any(t["id"] == MICROPHONES and t["state"] == "running" for t in status.get("tracks", []))


async def _until(
    layout: RoomPaths,
    service: str,
    fits: Callable[[dict[str, Any]], bool],
    children: list[asyncio.subprocess.Process],
) -> None:
    async def wait() -> None:
        async for _, payload in FeedClient(layout.feed(service), ["status"]).messages():
            _alive(children)
            if fits(json.loads(payload)):
                return

    try:
        async with asyncio.timeout(_START_TIMEOUT_S):
            await wait()
    except TimeoutError:
        raise WutongError(f"the {service} was not ready within {_START_TIMEOUT_S} s; run `wutong doctor`") from None


def _say(log: RoomLog, clock: RoomClock, kind: str, body: dict[str, Any]) -> int:
    event = log.append(kind, body, hearing=HEARING, room_ns=clock.now_ns(), utc_ns=clock.utc_now_ns())
    return event.number


async def _listen(layout: RoomPaths, clock: RoomClock, log: RoomLog, start_ns: int, heard: HeardFeed) -> None:
    seen = 0
    async for topic, payload in FeedClient(layout.feed("transcriber"), ["caption", "log", "times"]).messages():
        arrived_s = (clock.now_ns() - start_ns) / 1e9
        value = json.loads(payload)
        if topic == "caption":
            heard.captions.append(_shown(value, start_ns, arrived_s))
            continue
        if topic == "times":
            heard.times[str(value["id"])] = times_in_s(value["times"], start_ns)
            continue
        number = int(value["number"])
        for event in log.since(seen):
            if event.number <= number and event.kind == "utterance":
                heard.utterances.append(_shown(dict(event.body), start_ns, arrived_s))
        seen = max(seen, number)


def _shown(value: Mapping[str, Any], start_ns: int, arrived_s: float) -> ShownWords:
    words = tuple(
        Spoken(str(w["text"]), (w["start_ns"] - start_ns) / 1e9, (w["end_ns"] - start_ns) / 1e9)
        for w in value.get("words", [])
    )
    return ShownWords(
        channel=int(str(value["seat"]).removeprefix("seat-")),
        start_s=(value["start_ns"] - start_ns) / 1e9,
        end_s=(value["end_ns"] - start_ns) / 1e9,
        arrived_s=arrived_s,
        text=str(value["text"]),
        id=str(value["id"]),
        stable=int(value.get("stable", 0)),
        words=words,
    )


async def _drained(layout: RoomPaths, close: int, children: list[asyncio.subprocess.Process], label: str) -> None:
    """Until the transcriber's own note says that everything up to the close is written."""
    note = layout.data / "transcriber.json"
    deadline = time.monotonic() + _DRAIN_TIMEOUT_S
    while time.monotonic() < deadline:
        _alive(children)
        with contextlib.suppress(OSError, ValueError):
            if json.loads(note.read_text(encoding="utf-8"))["number"] >= close:
                await asyncio.sleep(0.5)  # the last message is on its way
                return
        await asyncio.sleep(0.2)
    raise WutongError(f"{label}: the last words were not written within {_DRAIN_TIMEOUT_S} s of the close")


def _read_log(log: RoomLog, start_ns: int, heard: HeardFeed) -> None:
    events = log.of_hearing(HEARING)
    gaps = [e.body for e in events if e.kind == "gap" and e.body["track"] == MICROPHONES]
    heard.gap_ms = float(sum(gap["to_ns"] - gap["from_ns"] for gap in gaps)) / 1e6
    heard.start_ns = start_ns
    heard.events = [
        {"number": e.number, "kind": e.kind, "room_ns": e.room_ns, "body": dict(e.body)}
        for e in events
        if e.kind in {"utterance", "revision"}
    ]
    heard.revisions = sum(e.kind == "revision" for e in events)
    arrived = {u.id: u.arrived_s for u in heard.utterances}
    for line in Hearing.of(HEARING, events).utterances:
        if not line.gone and not line.struck:
            value = {"seat": line.seat, "start_ns": line.start_ns, "end_ns": line.end_ns, "text": line.text}
            heard.lines.append(_shown({**value, "id": line.id}, start_ns, arrived.get(line.id, 0.0)))


def _cpu_s(child: asyncio.subprocess.Process) -> float:
    """Processor seconds of a service and of the processes that it owns, so far."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        service = psutil.Process(child.pid)
        for one in (service, *service.children(recursive=True)):
            times = one.cpu_times()
            total += times.user + times.system
    return total
