"""One seat alone: the same samples at the same time, and nothing of the other seats."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from server.playback.solo import isolate
from sync.errors import MediaError
from sync.media.fmp4 import BoxReader, Fragment, Init, retime
from tests.support.peers.center_peers import ROOM_NS, RoomPeer, Served, event, metadata, until

RATE_HZ = 48_000
SEATS = 3


@pytest.fixture(scope="module")
def three_seats(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds of three seats that say different things, as the recorder keeps them: at room time."""
    rng = np.random.default_rng(5)
    sound = rng.integers(-8000, 8000, size=(2 * RATE_HZ, SEATS), dtype=np.int16)
    folder = tmp_path_factory.mktemp("mics")
    (folder / "in.pcm").write_bytes(sound.tobytes())
    command = (
        f"ffmpeg -v error -f s16le -ar {RATE_HZ} -ch_layout 3.0 -i in.pcm -c:a flac -strict -2 -sample_fmt s16 "
        "-frame_size 2400 -movflags empty_moov+default_base_moof+frag_keyframe+skip_trailer -frag_duration 120000 "
        "-f mp4 mics.mp4"
    )
    subprocess.run(command.split(), cwd=folder, check=True, timeout=60)
    out = b""
    init: Init | None = None
    for item in BoxReader().feed((folder / "mics.mp4").read_bytes()):
        if isinstance(item, Init):
            init = item
            out += item.data
        else:
            assert init is not None
            out += retime(item, init, item.decode_time + ROOM_NS * RATE_HZ // 10**9, item.sequence).data
    return out


def pcm(data: bytes) -> NDArray[np.int16]:
    """(samples, channels), decoded by the demuxer and decoder of ffmpeg."""
    with av.open(io.BytesIO(data), "r") as file:
        frames = [f.to_ndarray().reshape(-1, f.layout.nb_channels) for f in file.decode(audio=0)]
    return np.concatenate(frames).astype(np.int16)


def times(data: bytes) -> list[tuple[int, int]]:
    return [(f.decode_time, f.duration) for f in BoxReader().feed(data) if isinstance(f, Fragment)]


@pytest.mark.parametrize("channel", range(SEATS))
def test_one_seat_alone_is_the_same_to_the_sample(three_seats: bytes, channel: int) -> None:
    alone = isolate(three_seats, channel)
    heard = pcm(alone)
    assert heard.shape[1] == 1
    assert np.array_equal(heard[:, 0], pcm(three_seats)[:, channel])
    assert times(alone) == times(three_seats)


def test_a_range_from_the_middle_keeps_its_moment(three_seats: bytes) -> None:
    items = list(BoxReader().feed(three_seats))
    assert isinstance(items[0], Init)
    middle = items[0].data + b"".join(i.data for i in items[5:9] if isinstance(i, Fragment))
    alone = isolate(middle, 2)
    assert times(alone) == times(three_seats)[4:8]
    assert np.array_equal(pcm(alone)[:, 0], pcm(middle)[:, 2])


def test_a_channel_that_is_not_there_and_a_picture_are_refused(three_seats: bytes, footage: bytes) -> None:
    with pytest.raises(MediaError):
        isolate(three_seats, SEATS)
    with pytest.raises(MediaError):
        isolate(footage, 0)


async def test_an_inspector_listens_to_one_seat_while_the_hearing_runs(
    served: Served, room: RoomPeer, three_seats: bytes, tmp_path: Path
) -> None:
    body = {
        "case": {"case_no": "1", "public": True},
        "seats": [{"id": "judge", "role": "审判长", "channel": 0}, {"id": "plaintiff", "role": "原告", "channel": 1}],
        "tracks": [{"id": "mics", "kind": "audio", "name": "话筒"}],
    }
    room.publish("events", event(1, "open", body))
    await until(lambda: 1 in room.receipts())
    async with served.uploader() as (tus, _):
        where = await tus.create(metadata(0, track="mics"))  # still growing: no event, no object
        await tus.append(where, 0, three_seats)
    at_ms = ROOM_NS / 1e6
    query: dict[str, str | float] = {"from_ms": at_ms + 300, "to_ms": at_ms + 900, "seat": "plaintiff"}
    async with served.inspector() as http:
        answer = await http.get("/api/hearings/h1/media/mics", params=query)
        assert answer.status_code == 200, answer.text
        assert answer.headers["X-Wutong-Mime"] == 'audio/mp4; codecs="flac"'
        assert abs(float(answer.headers["X-Wutong-From-Ms"]) - (at_ms + 300)) <= 150
        whole = await http.get("/api/hearings/h1/media/mics", params={**query, "seat": ""})
        assert np.array_equal(pcm(answer.content)[:, 0], pcm(whole.content)[:, 1])
        assert (await http.get("/api/hearings/h1/media/mics", params=query)).status_code == 200
        nobody = await http.get("/api/hearings/h1/media/mics", params={**query, "seat": "nobody"})
        assert nobody.status_code == 404
    # Two pieces are one act of listening.
    assert [row["detail"] for row in await served.audited("listen")] == ["h1/plaintiff"]
