"""`wutong doctor`: what this machine has, what a profile asks for, and what to do where the two do not meet.

Looks only; starts no recording and changes nothing. Exit code 0 when nothing stands in the way, else 2.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hardware.profile import Camera, Profile, load_profile
from hardware.simulation.hearing_folder import HearingFolder
from sync.errors import WutongError
from sync.room.paths import RoomPaths
from sync.runtime.secrets import read_secret

State = Literal["ok", "note", "bad"]
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
PROBE_S = 8


@dataclass(frozen=True)
class DoctorFinding:
    """One line of the report. `bad` stands in the way of recording, `note` does not."""

    subject: str
    state: State
    text: str


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
    yield from _microphones(profile)
    if profile is not None and profile.selftest.loudspeaker and profile.microphones.driver == "pyaudio":
        yield _loudspeaker(profile.selftest.loudspeaker)
    yield from _v4l2(profile)
    if profile is not None:
        for camera in profile.cameras:
            yield _camera(camera)
        yield _disk(profile)
        yield from _written_by_hand(profile)
        yield from _missing_documents(profile)
    yield _clock()
    yield _model(profile)
    if profile is not None:
        yield from _center(profile)


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


def _microphones(profile: Profile | None) -> Iterator[DoctorFinding]:
    from hardware.drivers.portaudio import find_device, input_devices

    devices = input_devices()
    for device in devices:
        facts = f"{device['maxInputChannels']} channels, {device['defaultSampleRate']:.0f} Hz"
        yield DoctorFinding(f"microphones: {device['name']}", "ok", facts)
    if not devices:
        yield DoctorFinding("microphones", "note", "PortAudio sees no input device on this machine")
    if profile is None:
        return
    wanted = profile.microphones
    try:
        if wanted.driver == "pyaudio":
            device = find_device(wanted.device, wanted.channels, devices)
            yield DoctorFinding("profile: microphones", "ok", f"{device['name']}, {wanted.channels} channels")
        elif wanted.driver == "file":
            there = wanted.file is not None and wanted.file.is_file()
            yield DoctorFinding("profile: microphones", "ok" if there else "bad", f"file {wanted.file}")
        else:
            yield _simulated("profile: microphones", wanted.file)
    except WutongError as error:
        yield DoctorFinding("profile: microphones", "bad", error.message)


def _loudspeaker(name: str) -> DoctorFinding:
    from hardware.drivers.portaudio import find_output

    try:
        return DoctorFinding("profile: loudspeaker", "ok", str(find_output(name)["name"]))
    except WutongError as error:  # the seats can speak instead
        return DoctorFinding("profile: loudspeaker", "note", error.message)


def _simulated(subject: str, folder: Path | None) -> DoctorFinding:
    if folder is None:
        return DoctorFinding(subject, "ok", "simulated, quiet until a hearing is played")
    try:
        sound = HearingFolder(folder)
    except WutongError as error:
        return DoctorFinding(subject, "bad", error.message)
    return DoctorFinding(subject, "ok", f"simulated: {folder} ({sound.channels} channels, {sound.duration_s:.0f} s)")


def _v4l2(profile: Profile | None) -> Iterator[DoctorFinding]:
    folder = Path("/dev/v4l/by-path")
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in found:
        yield DoctorFinding("camera (V4L2)", "ok", f"{path} -> {path.resolve().name}")
    if not found:
        yield DoctorFinding("camera (V4L2)", "note", "none is plugged in")


def _camera(camera: Camera) -> DoctorFinding:
    subject = f"profile: camera {camera.id}"
    if camera.driver == "simulated":
        return _simulated(subject, camera.file)
    if camera.driver == "file":
        there = camera.file is not None and camera.file.is_file()
        return DoctorFinding(subject, "ok" if there else "bad", f"file {camera.file}{'' if there else ' is not there'}")
    if camera.driver == "v4l2":
        numbered = camera.device.startswith("/dev/video")
        hint = "; name it by /dev/v4l/by-path/…: numbers swap" if numbered else ""
        if not os.access(camera.device, os.R_OK | os.W_OK):
            return DoctorFinding(
                subject, "bad", f"{camera.device} is not there or not ours to open (group video?){hint}"
            )
        return DoctorFinding(subject, "note" if numbered else "ok", camera.device + hint)
    return _rtsp(subject, camera)


def _rtsp(subject: str, camera: Camera) -> DoctorFinding:
    parts = urlsplit(camera.url)
    address = f"{parts.hostname}:{parts.port or 554}"
    if parts.scheme not in ("rtsp", "rtsps") or not parts.hostname:
        return DoctorFinding(subject, "bad", "its url is not rtsp://host/…")
    try:
        socket.create_connection((parts.hostname, parts.port or 554), timeout=3).close()
    except OSError as error:
        return DoctorFinding(subject, "bad", f"{address} does not answer ({error}); check the cable and the address")
    command = ["ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-timeout", "4000000", "-select_streams", "v:0"]
    command += ["-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", camera.url]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return DoctorFinding(subject, "bad", f"{address} answers, but gives no picture within {PROBE_S} s")
    codec, _, size = answer.stdout.strip().partition(",")
    if answer.returncode or not codec:
        return DoctorFinding(subject, "bad", f"{address} answers, but not with a stream; check path, user and password")
    if codec != "h264":
        return DoctorFinding(subject, "bad", f"{address} sends {codec}; set the camera's main stream to H.264")
    return DoctorFinding(subject, "ok", f"{address} H.264 {size.replace(',', '×')}")


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
            return DoctorFinding("speech model", "ok", asyncio.run(factory.probe(profile.transcriber)))
        return DoctorFinding("speech model", "ok", f"{name}: {model_files.locate(name)}")
    except WutongError as error:
        return DoctorFinding("speech model", "bad", error.message)


def _center(profile: Profile) -> Iterator[DoctorFinding]:
    center = profile.center
    if not center.url:
        yield DoctorFinding("profile: center", "note", "none: this room stands alone")
        return
    parts = urlsplit(center.url)
    web = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    for subject, address in (("center", web), ("broker", (center.mqtt_host, center.mqtt_port))):
        try:
            socket.create_connection(address, timeout=3).close()
        except OSError as error:
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
