"""Makes the reel of `wutong bench center`: drawn cameras and the bundled hearing's sound, by the product's encoders.

Some seconds of 1280×720 at 25 pictures a second and of four microphones are encoded as fast as the machine does it, so
nothing recorded is in the package. Thumbnails are taken by the recorder's own code from key frames, and the pages of
the bundled exhibits are drawn by the room's reader. `ConfigError` when a program or a font is missing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.exhibits.drawer import PageDrawer
from hardware.drivers import ffmpeg_arguments
from hardware.drivers.x264_options import coding
from hardware.simulation.drawn_courtroom import Courtroom, SeatPlace, seats_in_view
from hardware.simulation.hearing_folder import HearingFolder
from hardware.simulation.scenario import BUNDLED_HEARING, AddExhibit, Scenario
from hardware.workers.picture_encoder import PictureEncoder
from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.capture.kept_fragment import KeptFragment
from recorder.monitoring.picture import PictureWatch
from sync.errors import ConfigError
from sync.media.access_unit import pack_fragment
from sync.media.fmp4 import BoxReader, Fragment, Init
from sync.media.fragment_rows import sample_rows
from sync.media.tracks import MICROPHONES, MIX
from sync.record.bodies.evidence import DrawnPicture
from sync.runtime.units import NS_PER_S
from wutong.bench.center.rooms.reel import DESCRIPTION, kept_file, live_file, page_file

SECONDS = 20
FROM_S = 100
"""Of the hearing's sound: both parties speak there."""
WIDTH, HEIGHT, FPS = 1280, 720, 25
RATE_HZ = 16_000
CAMERAS = (("bench", "审判席"), ("parties", "当事人席"))
BEAT_NS = 160_000_000
THUMBNAIL_S = 4
MOST_THUMBNAILS = 5


async def make_reel(folder: Path, *, seconds: int = SECONDS) -> None:
    """Fill an empty folder; it takes some seconds of one processor."""
    hearing = HearingFolder(BUNDLED_HEARING)
    tracks: list[dict[str, Any]] = []
    for camera, name in CAMERAS:
        await asyncio.to_thread(_film, folder, camera, name, hearing, seconds)
        stills = await asyncio.to_thread(_thumbnails, folder, camera)
        tracks.append({"id": camera, "kind": "video", "name": name, "thumbnails": stills})
    await asyncio.to_thread(_sound, folder, hearing, seconds)
    tracks.append({"id": MICROPHONES, "kind": "audio", "name": "话筒", "thumbnails": []})
    tracks.append({"id": MIX, "kind": "audio", "name": "混音", "thumbnails": []})
    names = [one.file for one in Scenario.load(BUNDLED_HEARING).actions if isinstance(one, AddExhibit)]
    exhibits = [await _exhibit(folder, BUNDLED_HEARING / name) for name in names]
    text = json.dumps({"tracks": tracks, "exhibits": exhibits}, ensure_ascii=False)
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")


def _pictures(camera: str, name: str, hearing: HearingFolder, seconds: int) -> Iterator[NDArray[np.uint8]]:
    places = [SeatPlace(roles, channel) for channel, roles in sorted(hearing.roles.items())]
    room = Courtroom(WIDTH, HEIGHT, "测试法院 第一法庭", name, seats_in_view(camera, places))
    for number in range(seconds * FPS):
        at_ns = number * NS_PER_S // FPS
        room.draw(1_700_000_000 * NS_PER_S + at_ns, hearing.speaking(FROM_S + at_ns / NS_PER_S), at_ns // BEAT_NS)
        yield room.frame


def _film(folder: Path, camera: str, name: str, hearing: HearingFolder, seconds: int) -> None:
    with live_file(folder, camera).open("wb") as file:
        encoder = PictureEncoder(WIDTH, HEIGHT, FPS, file.fileno(), coding())
        for number, picture in enumerate(_pictures(camera, name, hearing, seconds)):
            encoder.write(picture, number * NS_PER_S // FPS, 0)
    _join(folder, camera)


def _join(folder: Path, track: str) -> None:
    """Make of what came from an encoder, and leaves live as it came, what a recorder keeps of it."""
    init, *parts = BoxReader().feed(live_file(folder, track).read_bytes())
    assert isinstance(init, Init)
    kept, made = KeptFragment(init.kind, init.timescale), [init.data]

    def take(until: int | None) -> None:
        begins = kept.decode_time
        made.append(pack_fragment(init.table.track_id, len(made), begins, *kept.take(until)))

    for part in parts:
        assert isinstance(part, Fragment)
        if kept.ends_before(part, broken=False):
            take(part.decode_time)
        kept.add(part, sample_rows(part, init))
        if kept.is_whole:
            take(None)
    if not kept.is_empty:
        take(None)
    kept_file(folder, track).write_bytes(b"".join(made))


def _sound(folder: Path, hearing: HearingFolder, seconds: int) -> None:
    samples = hearing.samples(RATE_HZ)[FROM_S * RATE_HZ : (FROM_S + seconds) * RATE_HZ]
    pcm = np.ascontiguousarray(samples, dtype="<i2").data
    with live_file(folder, MICROPHONES).open("wb") as mics, live_file(folder, MIX).open("wb") as mix:
        fds = [mics.fileno(), mix.fileno()]
        _encode(ffmpeg_arguments.microphones(hearing.channels, RATE_HZ, *fds), fds, iter([pcm]))
    for track in (MICROPHONES, MIX):
        _join(folder, track)


def _encode(command: list[str], fds: list[int], raw: Iterator[memoryview]) -> None:
    """Feed ffmpeg all of `raw`; it writes to the files `fds`."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=fds)
    assert process.stdin is not None
    assert process.stderr is not None
    with process.stderr:
        try:
            for piece in raw:
                _write(process.stdin.fileno(), piece)
        except BrokenPipeError:
            pass  # its own words say why
        process.stdin.close()
        said = process.stderr.read().decode("utf-8", "replace")
    if process.wait():
        raise ConfigError(f"ffmpeg cannot make the benchmark's recording: {said[-300:].strip()}")


def _write(fd: int, piece: memoryview) -> None:
    view = piece.cast("B")
    while view:
        view = view[os.write(fd, view) :]


def _thumbnails(folder: Path, camera: str) -> list[str]:
    """The stills that the recorder would take of a camera."""
    run: WorkerRun | None = None
    watch, names, next_s = PictureWatch(), list[str](), 0.0
    for item in BoxReader().feed(kept_file(folder, camera).read_bytes()):
        if isinstance(item, Init):
            run = WorkerRun(1, item)
            continue
        assert run is not None
        at_s = item.decode_time / run.init.timescale
        if not item.key_frame or at_s < next_s or len(names) == MOST_THUMBNAILS:
            continue
        next_s = at_s + THUMBNAIL_S
        at_ns = round(at_s * NS_PER_S)
        found = watch.inspect(StampedFragment(run, 0, item.data, at_ns, at_ns, at_ns, True))
        if found.jpeg is None:
            raise ConfigError("the benchmark's own recording cannot be decoded; look at the installed ffmpeg")
        names.append(f"thumbnail-{camera}-{len(names)}.jpg")
        (folder / names[-1]).write_bytes(found.jpeg)
    return names


async def _exhibit(folder: Path, path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    (folder / sha256).write_bytes(data)
    drawer = await PageDrawer.open(path)
    pictures: list[DrawnPicture] = []
    try:
        for page in range(1, drawer.file.pages + 1):
            drawn = await drawer.draw(page, 1)
            picture: DrawnPicture = {
                "page": page,
                "scale": 1,
                "width": drawn.width,
                "height": drawn.height,
                "bytes": len(drawn.data),
                "sha256": hashlib.sha256(drawn.data).hexdigest(),
            }
            (folder / page_file(sha256, picture)).write_bytes(drawn.data)
            pictures.append(picture)
    finally:
        await drawer.close()
    return {
        "file": sha256,
        "filename": path.name,
        "media_type": drawer.file.media_type,
        "sha256": sha256,
        "bytes": len(data),
        "pages": drawer.file.pages,
        "pictures": pictures,
    }
