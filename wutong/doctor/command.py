"""`wutong doctor`: what this machine has, what a profile asks for, and what to do where the two do not meet.

Looks only; starts no recording and changes nothing. Exit code 0 when nothing stands in the way, else 2.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hardware.profile import Profile, load_profile
from sync.errors import WutongError
from sync.room.paths import RoomPaths
from sync.runtime.files.secrets import read_secret
from sync.tls.authority import near_end
from sync.tls.certificates import read_certificate
from sync.uplink.trust.center_clock import WRONG_S, CenterClock, words_of
from wutong.doctor.cameras import examined, v4l2
from wutong.doctor.finding import DoctorFinding, State
from wutong.doctor.signer import confinement, signer
from wutong.doctor.sound import loudspeaker, microphones

_MARKS: dict[State, tuple[str, str]] = {"ok": ("✓", "green"), "note": ("•", "yellow"), "bad": ("✗", "red")}
PROGRAMS = {
    "ffmpeg": ("apt install ffmpeg", True),
    "ffprobe": ("apt install ffmpeg", False),
    "fc-match": ("apt install fontconfig fonts-noto-cjk", True),
    "mosquitto": ("apt install mosquitto (only where a broker runs)", False),
    "chronyc": ("apt install chrony, so that UTC is known", False),
    "v4l2-ctl": ("apt install v4l-utils, to look at USB cameras", False),
}
GIB = 1 << 30


def examine(profile_path: Path | None) -> Iterator[DoctorFinding]:
    """All findings; with a profile also what it asks for."""
    yield from _programs()
    yield _font()
    yield _fonts_of_papers()
    profile: Profile | None = None
    if profile_path is not None:
        try:
            profile = load_profile(profile_path)
        except WutongError as error:
            yield DoctorFinding("profile", "bad", error.message)
        else:
            yield DoctorFinding(
                "profile", "ok", f"{profile.room.court_name} {profile.room.room_name} ({profile.address})"
            )
    yield from microphones(profile)
    if profile is not None and profile.selftest.loudspeaker and profile.microphones.driver == "pyaudio":
        yield loudspeaker(profile.selftest.loudspeaker)
    yield from v4l2()
    if profile is not None:
        for camera in profile.cameras:
            yield from examined(camera, profile_path)
        yield _disk(profile)
        yield from _written_by_hand(profile)
        yield from _missing_documents(profile)
        yield from signer(profile)
    yield confinement()
    yield _clock()
    yield _model(profile)
    if profile is not None:
        yield from _wires(profile)
        yield from _center(profile)
        yield from _clocks(profile)


def _programs() -> Iterator[DoctorFinding]:
    for name, (remedy, needed) in PROGRAMS.items():
        found = shutil.which(name)
        if found is not None:
            yield DoctorFinding(name, "ok", found)
        else:
            yield DoctorFinding(name, "bad" if needed else "note", f"not installed: {remedy}")


def _font() -> DoctorFinding:
    from hardware.simulation.drawn_courtroom import font_file

    try:
        return DoctorFinding("font", "ok", font_file("Noto Sans CJK SC:bold")[0])
    except WutongError as error:
        return DoctorFinding("font", "bad", error.message)


def _fonts_of_papers() -> DoctorFinding:
    from sync.paper.faces import absent

    wanted = absent()
    if not wanted:
        return DoctorFinding("fonts of papers", "ok", "rare characters, Tibetan, Uyghur, Mongolian and Yi are printed")
    text = f"some characters will be printed as 〓 with their code point: apt install {' '.join(wanted)}"
    return DoctorFinding("fonts of papers", "note", text)


def _disk(profile: Profile) -> DoctorFinding:
    folder = profile.storage.data
    there = next(p for p in [folder, *folder.parents] if p.exists())
    if not os.access(there, os.W_OK):
        return DoctorFinding("profile: disk", "bad", f"{folder} cannot be written by this user")
    free = shutil.disk_usage(there).free / GIB
    text = f"{folder}: {free:.1f} GiB free, reserve {profile.storage.reserve_gib} GiB"
    if free < profile.storage.reserve_gib:
        return DoctorFinding("profile: disk", "bad", text + "; a hearing would be refused: free some space")
    return DoctorFinding("profile: disk", "ok", text)


def _written_by_hand(profile: Profile) -> Iterator[DoctorFinding]:
    """The court's own files beside the profile, read as the services read them."""
    from edge.phrases.store import PhraseStore
    from sync.cases.shelf import read_kinds
    from transcriber.correction.vocabulary import lexicon

    phrases = profile.panel.phrases or RoomPaths(profile.storage.data).phrases
    if phrases.exists() or profile.panel.phrases is not None:
        shelf = PhraseStore(phrases, frozenset(role for seat in profile.seats for role in seat.roles)).shelf()
        if not phrases.exists():
            yield DoctorFinding("profile: phrases", "note", f"{phrases} is not there: the product's phrases are shown")
        elif shelf.error is not None:
            text = f"{phrases}: {shelf.error.message}; until then the product's phrases are shown"
            yield DoctorFinding("profile: phrases", "bad", text)
        else:
            yield DoctorFinding("profile: phrases", "ok", f"{phrases}: {len(shelf.phrases)} phrases")
    kinds = read_kinds(profile.panel.kinds or RoomPaths(profile.storage.data).kinds)
    for fault in kinds.faults:
        yield DoctorFinding("profile: kinds", "bad", f"{fault}; until then the product's kind of case serves")
    if kinds.own and not kinds.faults:
        yield DoctorFinding("profile: kinds", "ok", f"{len(kinds.own)} kinds of case of this court")
    if (terms := profile.transcriber.terms) is not None:
        try:
            yield DoctorFinding("profile: terms", "ok", f"{terms}: {len(lexicon.read(terms))} terms")
        except WutongError as error:
            yield DoctorFinding("profile: terms", "bad", error.message)


def _missing_documents(profile: Profile) -> Iterator[DoctorFinding]:
    from edge.documents.jobs import failures_below

    for hearing, failed in failures_below(RoomPaths(profile.storage.data).hearings).items():
        for kind, why in failed.items():
            text = f"the {kind} was not made: {why}; the others are there, and it is tried again"
            yield DoctorFinding(f"documents of {hearing}", "note", text)


def _clock() -> DoctorFinding:
    if shutil.which("chronyc") is None:
        return DoctorFinding("clock", "note", "free-running: no chrony, so nobody knows how far UTC is off")
    try:
        command = ["chronyc", "-c", "tracking"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return DoctorFinding("clock", "note", "chrony does not answer")
    from recorder.clock.chrony import parse_tracking

    source = parse_tracking(answer.stdout)
    if source.error_ms is None:
        return DoctorFinding("clock", "note", "chrony runs but is not synchronized")
    state: State = "ok" if source.error_ms < 50 else "note"
    return DoctorFinding("clock", state, f"chrony, within {source.error_ms} ms; {time.strftime('%F %T %Z')}")


def _model(profile: Profile | None) -> DoctorFinding:
    if profile is not None and profile.transcriber.engine == "off":
        return DoctorFinding("speech model", "note", "switched off in the profile")
    name = "base" if profile is None else profile.transcriber.model
    from transcriber.recognition import factory, model_files  # only here: its libraries take seconds to load

    try:
        if profile is not None and profile.transcriber.engine != "faster-whisper":
            return DoctorFinding(
                "speech model",
                "ok",
                asyncio.run(factory.probe(profile.transcriber, RoomPaths(profile.storage.data).authority)),
            )
        return DoctorFinding("speech model", "ok", f"{name}: {model_files.locate(name)}")
    except WutongError as error:
        return DoctorFinding("speech model", "bad", error.message)


def _wires(profile: Profile) -> Iterator[DoctorFinding]:
    """What would cross a network without TLS, and how long the room's certificate lasts."""
    policy = profile.policy
    try:
        for words in policy.warnings(profile.plain_wires()):
            yield DoctorFinding("profile: tls", "bad", words)
    except WutongError as error:
        yield DoctorFinding("profile: tls", "bad", error.message)
    if policy.is_open:
        yield DoctorFinding("profile: tls.plain_until", "bad", policy.words("old ways are open"))
    path = RoomPaths(profile.storage.data).tls_certificate
    try:
        until = read_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, WutongError):
        if profile.center.url:
            yield DoctorFinding("profile: certificate", "note", f"{path} is not there: enroll this room")
        return
    left = (until - dt.datetime.now(dt.UTC)).days
    state: State = "ok" if left > 0 else "bad"
    text = f"valid until {until:%Y-%m-%d}" if left > 0 else f"ended {until:%Y-%m-%d}: enroll this room again"
    yield DoctorFinding("profile: certificate", state, text)


def _clocks(profile: Profile) -> Iterator[DoctorFinding]:
    """Whether this machine's clock is the center's: by a wrong one every certificate is too new or too old."""
    layout = RoomPaths(profile.storage.data)
    ahead_s = asyncio.run(CenterClock(profile.center.url, layout.authority).look())
    if ahead_s is not None:
        wrong = abs(ahead_s) > WRONG_S
        yield DoctorFinding(
            "profile: clock", "bad" if wrong else "ok", words_of(ahead_s) if wrong else f"within {abs(ahead_s):.0f} s"
        )
    authority = layout.authority
    try:
        until = read_certificate(authority.read_bytes()).not_valid_after_utc
    except (OSError, WutongError):
        return
    if (words := near_end(until, dt.datetime.now(dt.UTC))) is not None:
        yield DoctorFinding("profile: authority", "bad", words)


def _center(profile: Profile) -> Iterator[DoctorFinding]:
    center = profile.center
    if not center.url:
        yield DoctorFinding("profile: center", "note", "none: this room stands alone")
        return
    parts = urlsplit(center.url)
    web = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    for subject, address in (("center", web), *(("broker", place) for place in center.broker_places)):
        try:
            socket.create_connection(address, timeout=3).close()
        except (OSError, ValueError) as error:  # a name that cannot be one is a ValueError
            text = f"{address[0]}:{address[1]} does not answer ({error}); recording works without it"
            yield DoctorFinding(f"profile: {subject}", "note", text)
        else:
            yield DoctorFinding(f"profile: {subject}", "ok", f"{address[0]}:{address[1]} answers")
    for what, path in (("token_file", center.token_file), ("mqtt_password_file", center.mqtt_password_file)):
        if path is None:
            continue
        if not path.is_file():
            yield DoctorFinding(f"profile: {what}", "bad", f"{path} is not there")
        elif path.stat().st_mode & 0o077:
            yield DoctorFinding(f"profile: {what}", "bad", f"{path} can be read by others: chmod 600")
        else:
            try:
                read_secret(path, what)
            except WutongError as error:
                yield DoctorFinding(f"profile: {what}", "bad", error.message)
            else:
                yield DoctorFinding(f"profile: {what}", "ok", str(path))


def run(profile_path: Path | None, console: Console) -> int:
    """Print the table; the exit code."""
    table = Table(title="wutong doctor", show_lines=False, expand=False)
    table.add_column("")
    table.add_column("what", overflow="fold")
    table.add_column("finding", overflow="fold")
    bad = 0
    for finding in examine(profile_path):
        mark, color = _MARKS[finding.state]
        bad += finding.state == "bad"
        table.add_row(Text(mark, style=color), Text(finding.subject), Text(finding.text))
    console.print(table)
    console.print("nothing stands in the way" if not bad else f"{bad} thing(s) to put right", highlight=False)
    return 2 if bad else 0
