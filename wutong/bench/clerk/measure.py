"""`wutong bench clerk`: how much a clerk must do until the transcript says what was said.

The words are real: what the transcriber and its corrector made of a hearing in a run of `wutong bench captions` (its
`--words FILE`, or made here). They are put into the log of a room whose edge and panel are the product's; a scripted
clerk who knows the reference corrects them in Chromium: takes the checks and proposals that are right by one touch
each, then each line that differs (`wutong.bench.clerk.plan` says how, `clerk_hand` does and counts it). The figures are
touches and keys for each 100 characters of the reference, beside the keys that typing all of it takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from rapidfuzz.distance import Levenshtein
from rich.console import Console
from rich.progress import Progress

from hardware.profile import load_profile
from hardware.simulation.hearing_folder import HearingFolder, Said
from sync.errors import ConfigError, WutongError
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from wutong.bench.browser import chromium, sign_in
from wutong.bench.captions.character_errors import alike, cer
from wutong.bench.captions.measure import case_in, machine
from wutong.bench.captions.paced_room import Setting, play, write_profile
from wutong.bench.clerk.hand import Hand
from wutong.bench.clerk.plan import PlannedLine, applied, plan, typing_everything

if TYPE_CHECKING:
    from playwright.async_api import Page

HEARING = "20260101-090000-clerk"
_START_S = 60.0
_SETTLED_S = 60.0


async def measure(
    folder: Path, hearing: Path, words: Path | None, console: Console, picture: Path | None = None
) -> dict[str, Any]:
    """Run the whole and return the figures; `words`: of `wutong bench captions --words`; None: hear it first."""
    source = HearingFolder(hearing)
    case = case_in(hearing)
    with Progress(console=console, transient=True) as progress:
        heard: Mapping[str, Any]
        if words is None:
            setting = Setting(case=case)
            heard = (await play(folder / "heard", source, source.duration_s, setting, progress, "civil")).to_json()
            said = list(source.reference.utterances)
        else:
            heard, said = _read(words)
        room = folder / "room"
        room.mkdir()
        port = _free_port()
        profile = write_profile(room, source, Setting(case=case), panel={"port": port})
        started_ns = fill(RoomPaths(load_profile(profile).storage.data), source, case, heard)
        async with _edge(room, profile, port) as (url, code), chromium() as browser:
            context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
            page = await context.new_page()
            await sign_in(page, f"{url}/panel", code)
            await page.goto(f"{url}/panel")
            await page.locator("[data-line]").first.wait_for(timeout=30_000)
            clerk = _Clerk(page, Hand(page, await context.new_cdp_session(page)), said, started_ns, progress)
            figures = await clerk.work()
            if picture is not None:
                await page.screenshot(path=str(picture))
    return figures | {"utc": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}


def _read(words: Path) -> tuple[Mapping[str, Any], list[Said]]:
    try:
        value = json.loads(words.read_text(encoding="utf-8"))
        return value["civil"], [Said.model_validate(one) for one in value["reference"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{words} is not what `wutong bench captions --words` writes: {error}") from error


def fill(layout: RoomPaths, source: HearingFolder, case: Mapping[str, Any], heard: Mapping[str, Any]) -> int:
    """Put the words into the log of a fresh room, in a hearing that is open; returns room time of the first sample."""
    clock = RoomClock.open(layout.clock)
    log = RoomLog(layout.log)
    shift_ns = clock.now_ns() - int(heard["start_ns"])
    seats = [
        {"id": f"seat-{channel}", "role": roles[0], "roles": roles, "channel": channel}
        for channel, roles in sorted(source.roles.items())
    ]
    numbers: dict[int, int] = {}

    def say(kind: str, room_ns: int, body: Mapping[str, Any]) -> int:
        return log.append(kind, body, hearing=HEARING, room_ns=room_ns, utc_ns=clock.utc_now_ns()).number

    try:
        opening = {"case": {"id": "bench", "public": True, **case}, "seats": seats, "tracks": [], "court": "bench"}
        opening |= {"room": "captions", "court_name": "测试法院", "room_name": "测试法庭"}
        say("open", clock.now_ns() - 1_000_000_000, opening)
        for event in heard["events"]:
            body = _moved(event["body"], shift_ns, numbers)
            numbers[event["number"]] = say(event["kind"], event["room_ns"] + shift_ns, body)
    finally:
        log.close()
    return int(heard["start_ns"]) + shift_ns


def _moved(value: Any, shift_ns: int, numbers: Mapping[int, int]) -> Any:
    """The body of an event in another room: its times later, the versions that it changes those of the new log."""
    if isinstance(value, Mapping):
        out = {}
        for key, item in value.items():
            if key.endswith("_ns") and isinstance(item, int):
                out[key] = item + shift_ns
            elif key == "base":
                out[key] = numbers.get(item, item)
            else:
                out[key] = _moved(item, shift_ns, numbers)
        return out
    return [_moved(item, shift_ns, numbers) for item in value] if isinstance(value, list) else value


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def _edge(folder: Path, profile: Path, port: int) -> Any:
    """The room's edge alone: (address, the clerk's code)."""
    url = f"http://127.0.0.1:{port}"
    command = (sys.executable, "-m", "wutong", "room", "edge", "--profile", str(profile))
    with (folder / "edge.log").open("wb") as errors:
        process = await asyncio.create_subprocess_exec(*command, stdout=errors, stderr=errors)
    try:
        codes = RoomPaths(load_profile(profile).storage.data).data / "codes.json"
        deadline = time.monotonic() + _START_S
        async with httpx.AsyncClient() as http:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    await http.get(f"{url}/api/session")
                    break
                if process.returncode is not None or time.monotonic() > deadline:
                    said = (folder / "edge.log").read_text(encoding="utf-8", errors="replace").splitlines()
                    raise WutongError(f"the room's edge did not serve; its last words: {said[-1] if said else 'none'}")
                await asyncio.sleep(0.2)
        yield url, str(json.loads(codes.read_text(encoding="utf-8"))["clerk"])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


class _Clerk:
    """Knows what was said, sees what the panel shows."""

    def __init__(self, page: Page, hand: Hand, said: Sequence[Said], started_ns: int, progress: Progress) -> None:
        self._page, self._hand, self._said, self._progress = page, hand, said, progress
        self._started_ns = started_ns

    async def work(self) -> dict[str, Any]:
        """Correct everything; the figures."""
        reference = "".join(s.text for s in sorted(self._said, key=lambda s: s.start))
        length = len(alike(reference))
        before = await self._lines()
        began = time.monotonic()
        accepted = await self._checks()
        changed = await self._correct()
        took_s = time.monotonic() - began
        after = await self._settled()
        left, missing = plan(self._said, after)
        typed = typing_everything(self._said)
        return {
            "touches_per_100": round(self._hand.touches / length * 100, 2),
            "keys_per_100": round(self._hand.keys / length * 100, 2),
            "typing_keys_per_100": round(typed / length * 100, 2),
            "share_of_typing": round((self._hand.touches + self._hand.keys) / typed, 4),
            "touches": self._hand.touches,
            "keys": self._hand.keys,
            "typing_keys": typed,
            "characters": length,
            "accepted": accepted,
            "lines": len(before),
            "lines_changed": changed,
            "cer_before": round(cer(reference, _text(before)), 4),
            "cer_after": round(cer(reference, _text(after)), 4),
            "roles_right": round(_roles_right(self._said, after), 4),
            "work_left": len(left) + len(missing),
            "script_s": round(took_s, 1),
        }

    async def _state(self) -> dict[str, Any]:
        return dict(await self._page.evaluate("fetch('/api/state').then(answer => answer.json())"))

    async def _lines(self) -> list[PlannedLine]:
        """The lines as the room has them."""
        hearing = (await self._state())["hearing"]
        return [
            PlannedLine(
                id=str(one["id"]),
                channel=int(str(one["seat"]).removeprefix("seat-")),
                role=str(one["role"]),
                start_s=(one["start_ms"] - self._started_ns / 1e6) / 1000,
                end_s=(one["end_ms"] - self._started_ns / 1e6) / 1000,
                text=str(one["text"]),
            )
            for one in hearing["utterances"]
            if not one["gone"] and not one["struck"]
        ]

    async def _checks(self) -> int:
        """Accept what is right in the list of checks; how many were."""
        if not await self._offered():
            return 0
        await self._hand.show_checks()
        accepted = 0
        while one := await self._offered():
            await self._hand.accept(one["from"], one["to"])
            accepted += 1
            await self._page.wait_for_function(
                "id => fetch('/api/state').then(a => a.json()).then(s => s.checks.every(c => c.id !== id))",
                arg=one["id"],
                timeout=_SETTLED_S * 1000,
            )
        return accepted

    async def _offered(self) -> dict[str, Any] | None:
        """The first finding whose acceptance makes its line more right."""
        findings = [one for one in (await self._state()).get("checks") or [] if not one["ignored"]]
        lines = await self._lines()
        wanted = {work.line.id: applied(work.line.text, work.runs) for work in plan(self._said, lines)[0]}
        texts = {line.id: line.text for line in lines}
        for one in findings:
            if one["to"] is None or one["line"] not in wanted:
                continue
            text = texts[one["line"]]
            then = text[: one["at"]] + one["to"] + text[one["at"] + one["length"] :]
            right = alike(wanted[one["line"]])
            if Levenshtein.distance(alike(then), right) < Levenshtein.distance(alike(text), right):
                return dict(one)
        return None

    async def _correct(self) -> int:
        """Every line that differs; how many did."""
        changed = 0
        done: set[str] = set()
        bar = self._progress.add_task("the clerk corrects", total=None)
        while True:
            works, missing = plan(self._said, await self._settled())
            todo = next((work for work in works if work.line.id not in done), None)
            if todo is None:
                break
            self._progress.update(bar, total=len(done) + len(works), completed=len(done))
            done.add(todo.line.id)
            changed += 1
            if todo.strike:
                await self._hand.strike(todo.line.id)
                continue
            if todo.runs:
                await self._hand.correct(todo.line.id, todo.runs)
            if todo.role:
                await self._hand.speaker(todo.line.id, todo.role)
        for one in missing:
            await self._hand.insert(one.after, one.said.role, one.said.text)
        self._progress.remove_task(bar)
        return changed + len(missing)

    async def _settled(self) -> list[PlannedLine]:
        """The lines, when nothing that was done is still on its way."""
        await self._page.wait_for_function(
            "() => document.querySelector('[data-state]') === null", timeout=_SETTLED_S * 1000
        )
        return await self._lines()


def _text(lines: Sequence[PlannedLine]) -> str:
    return "".join(line.text for line in sorted(lines, key=lambda line: line.start_s))


def _roles_right(said: Sequence[Said], lines: Sequence[PlannedLine]) -> float:
    """The share of the reference's utterances during which the lines of their seat name their speaker."""
    right = 0
    for one in said:
        about = [
            (min(one.end, line.end_s) - max(one.start, line.start_s), line.role)
            for line in lines
            if line.channel == one.channel
        ]
        longest = max(about, default=(0.0, ""))
        right += longest[0] > 0 and longest[1] == one.role
    return right / len(said) if said else 0.0
