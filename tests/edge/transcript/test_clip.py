"""The moment of a line, heard out of the kept files: closed ones and the one that still grows."""

from __future__ import annotations

import io
import subprocess
import wave
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.transcript.clip import NoSoundError, moment
from sync.media.fmp4 import BoxReader, Fragment, Init, retime, to_ticks
from sync.record.timeline import Segment
from sync.room.event_log import RoomLog
from tests.support.rooms.edge_room import Room

RATE_HZ = 16000
SECOND = 10**9
BEGIN_NS = 3600 * SECOND
"""Room time at which the sound begins: far from zero, as in a real room."""
SECONDS = 6


def pitch_of(second: int, seat: int) -> int:
    """Every second of every seat has a tone of its own."""
    return 400 + 200 * second + 1700 * seat


def heard(samples: NDArray[np.int16], rate_hz: int) -> int:
    """The loudest tone, to 10 Hz."""
    spectrum = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(len(samples))))
    return round(float(np.argmax(spectrum)) * rate_hz / len(samples) / 10) * 10


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Init, list[Fragment]]]:
    """`mics` and `mix` of the same six seconds, in fragments of 200 ms of room time."""
    folder = tmp_path_factory.mktemp("sound")
    time = np.arange(SECONDS * RATE_HZ)
    seats = [
        np.concatenate(
            [np.sin(2 * np.pi * pitch_of(s, seat) * time[:RATE_HZ] / RATE_HZ) * 8000 for s in range(SECONDS)]
        ).astype("<i2")
        for seat in range(2)
    ]
    made: dict[str, tuple[Init, list[Fragment]]] = {}
    for track, pcm, codec in (
        ("mics", np.stack(seats, axis=1), "flac -strict -2 -sample_fmt s16 -frame_size 1600"),
        ("mix", seats[0].reshape(-1, 1), "aac -b:a 96k"),
    ):
        (folder / "in.pcm").write_bytes(pcm.tobytes())
        subprocess.run(
            f"ffmpeg -v error -y -f s16le -ar {RATE_HZ} -ac {pcm.shape[1]} -i in.pcm -c:a {codec} -frag_duration 200000"
            f" -movflags +empty_moov+default_base_moof {track}.mp4".split(),
            cwd=folder,
            check=True,
        )
        items = list(BoxReader().feed((folder / f"{track}.mp4").read_bytes()))
        init = next(item for item in items if isinstance(item, Init))
        begin = to_ticks(BEGIN_NS, init.timescale)
        fragments = [item for item in items if isinstance(item, Fragment)]
        made[track] = init, [retime(f, init, begin + f.decode_time, n) for n, f in enumerate(fragments, start=1)]
    return made


def kept(folder: Path, track: tuple[Init, list[Fragment]], at: int) -> Segment:
    """Two files, as the recorder keeps them: the second one grows, and its last fragment is half written."""
    init, fragments = track
    folder.mkdir(parents=True)
    first = init.data + b"".join(f.data for f in fragments[:at])
    (folder / "00000.mp4").write_bytes(first)
    half = fragments[-1].data[: len(fragments[-1].data) // 2]
    (folder / "00001.mp4").write_bytes(init.data + b"".join(f.data for f in fragments[at:-1]) + half)
    to_ns = BEGIN_NS + sum(f.duration for f in fragments[:at]) * SECOND // init.timescale
    return Segment(folder.name, 0, f"{folder.name}/00000.mp4", len(first), "", BEGIN_NS, to_ns)


@pytest.mark.parametrize(("track", "channel"), [("mics", 0), ("mics", 1), ("mix", None)])
def test_the_moment_is_heard_across_files_and_in_the_growing_one(
    tmp_path: Path, tracks: dict[str, tuple[Init, list[Fragment]]], track: str, channel: int | None
) -> None:
    segment = kept(tmp_path / track, tracks[track], len(tracks[track][1]) // 2)
    from_ns = BEGIN_NS + 1 * SECOND
    found = moment(tmp_path / track, [segment], from_ns, from_ns + 4 * SECOND, channel)
    assert found.from_ns == from_ns
    assert len(found.samples) == 4 * found.rate_hz
    for second in range(1, 5):
        # The middle of each second: an AAC encoder's delay is no part of what is asked here.
        middle = found.samples[int((second - 0.75) * found.rate_hz) : int((second - 0.25) * found.rate_hz)]
        assert abs(heard(middle, found.rate_hz) - pitch_of(second, channel or 0)) <= 10


def test_what_was_not_kept_is_not_made_up(tmp_path: Path, tracks: dict[str, tuple[Init, list[Fragment]]]) -> None:
    init, fragments = tracks["mics"]
    hole = [f for n, f in enumerate(fragments) if not 10 <= n < 15]
    kept(tmp_path / "mics", (init, hole), 10)
    span_ns = fragments[0].duration * SECOND // init.timescale
    whole = moment(tmp_path / "mics", [], BEGIN_NS, BEGIN_NS + 18 * span_ns, 0)
    each = span_ns * whole.rate_hz // SECOND
    assert len(whole.samples) == 18 * each
    assert not whole.samples[10 * each : 15 * each].any(), "a gap is silence of its length"
    assert whole.samples[15 * each : 16 * each].any()
    end = moment(tmp_path / "mics", [], BEGIN_NS - SECOND, BEGIN_NS + span_ns, 0)
    assert (end.from_ns, len(end.samples)) == (BEGIN_NS, each), "nothing before the beginning"
    for from_ns, to_ns in ((0, SECOND), (BEGIN_NS + 3600 * SECOND, BEGIN_NS + 3601 * SECOND)):
        with pytest.raises(NoSoundError):
            moment(tmp_path / "mics", [], from_ns, to_ns, 0)


async def test_a_line_plays_with_a_moment_around_it(room: Room, tracks: dict[str, tuple[Init, list[Fragment]]]) -> None:
    hearing = (await room.open())["id"]
    log = RoomLog(room.layout.log)
    for track in ("mics", "mix"):
        segment = kept(room.layout.track(hearing, track), tracks[track], 5)
        log.append("segment", asdict(segment) | {"mime": ""}, hearing=hearing, room_ns=1, utc_ns=1)
    said = {"seat": "plaintiff", "role": "原告", "text": "借款三十万元", "confidence": 0.9, "words": [], "voice": ""}
    for name, from_ns in (("u1", BEGIN_NS + 2 * SECOND), ("u2", 10 * SECOND)):
        body = said | {"id": name, "start_ns": from_ns, "end_ns": from_ns + SECOND}
        event = log.append("utterance", body, hearing=hearing, room_ns=1, utc_ns=1)
    log.close()
    room.transcriber.publish_json("log", {"number": event.number})
    await room.until_state(lambda s: len(s["hearing"]["utterances"]) == 2)
    for query, pitch in (("", pitch_of(2, 0)), ("?seat=1", pitch_of(2, 1))):
        answer = await room.clerk.get(f"/api/transcript/u1/sound{query}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/wav")
        assert abs(float(answer.headers["X-Wutong-From-Ms"]) - (BEGIN_NS + 1.7 * SECOND) / 1e6) < 1
        with wave.open(io.BytesIO(answer.content)) as file:
            rate_hz = file.getframerate()
            assert file.getnframes() == round(1.6 * rate_hz)
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        assert abs(heard(samples[int(0.6 * rate_hz) : int(1.1 * rate_hz)], rate_hz) - pitch) <= 10
    for name, status, code in (("u2", 404, "no-media"), ("nobody", 404, "not-found")):
        answer = await room.clerk.get(f"/api/transcript/{name}/sound")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
