"""Fragmented MP4 as ffmpeg really writes it, cut, stamped, grown, truncated and damaged."""

from __future__ import annotations

import contextlib
import struct
import subprocess
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.errors import MediaError
from sync.media.fmp4 import BoxReader, Fragment, Init, index_file, parse_fragment, retime, to_ns, to_ticks
from sync.media.prft import ReferenceTime, from_ntp, to_ntp

SOURCES = {
    "video": "testsrc2=s=320x180:r=25 -c:v libx264 -preset ultrafast -tune zerolatency -g 25",
    "mics": "sine=440:r=16000,aformat=channel_layouts=quad -c:a flac -strict -2 -frame_size 800",
    "mix": "sine=440:r=16000 -c:a aac -ar 48000",
}
FRAGMENTED = "-movflags empty_moov+default_base_moof+frag_keyframe+skip_trailer -frag_duration 150000"
MIMES = {"video": "video/mp4", "mics": 'audio/mp4; codecs="flac"', "mix": 'audio/mp4; codecs="mp4a.40.2"'}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("boxes")
    for name, source in SOURCES.items():
        command = f"ffmpeg -v error -f lavfi -i {source} -t 2.5 -pix_fmt yuv420p {FRAGMENTED} {folder}/{name}.mp4"
        subprocess.run(command.split(), check=True)
    return {name: folder / f"{name}.mp4" for name in SOURCES}


def read(data: bytes, step: int = 1 << 30) -> tuple[Init, list[Fragment]]:
    reader = BoxReader()
    found = [item for at in range(0, len(data), step) for item in reader.feed(data[at : at + step])]
    init = found[0]
    assert isinstance(init, Init)
    return init, [item for item in found[1:] if isinstance(item, Fragment)]


@pytest.mark.parametrize("name", SOURCES)
def test_any_cut_of_the_stream_gives_the_same_fragments(files: dict[str, Path], name: str) -> None:
    data = files[name].read_bytes()
    whole = read(data)
    assert read(data, 997) == whole
    init, fragments = whole
    assert init.mime.startswith(MIMES[name])
    assert init.data + b"".join(f.data for f in fragments) == data
    assert fragments[0].key_frame
    assert all(b.decode_time == a.decode_time + a.duration for a, b in pairwise(fragments))


def test_key_frames_are_where_the_encoder_put_them(files: dict[str, Path]) -> None:
    init, fragments = read(files["video"].read_bytes())
    keys = [to_ns(f.decode_time, init.timescale) for f in fragments if f.key_frame]
    assert keys == [0, 1_000_000_000, 2_000_000_000]


@pytest.mark.parametrize("name", SOURCES)
def test_stamping_moves_the_time_and_leaves_every_sample_as_it_was(
    files: dict[str, Path], name: str, tmp_path: Path
) -> None:
    init, fragments = read(files[name].read_bytes())
    later = to_ticks(400 * 86_400 * 1_000_000_000, init.timescale)  # more than 32 bits of ticks
    stamped = [retime(f, init, later + f.decode_time, 7 + i) for i, f in enumerate(fragments)]
    assert [list(f.samples()) for f in stamped] == [list(f.samples()) for f in fragments]
    assert [f.sequence for f in stamped] == list(range(7, 7 + len(fragments)))
    moved = tmp_path / "moved.mp4"
    moved.write_bytes(init.data + b"".join(f.data for f in stamped))
    with av.open(str(moved)) as container, av.open(str(files[name])) as before:
        first = next(container.decode(container.streams[0]))
        frames = 1 + sum(1 for _ in container.decode(container.streams[0]))
        assert frames == sum(1 for _ in before.decode(before.streams[0]))
        assert isinstance(first, av.VideoFrame | av.AudioFrame)
        assert first.time == pytest.approx(400 * 86_400, abs=0.05)


def test_a_32_bit_time_is_widened(files: dict[str, Path]) -> None:
    init, fragments = read(files["video"].read_bytes())
    data = bytearray(fragments[1].data)
    # Make of ffmpeg's 64-bit tfdt a 32-bit one, as other muxers write it.
    at = data.index(b"tfdt") + 4
    data[at] = 0
    del data[at + 4 : at + 8]
    for box in (b"moof", b"traf", b"tfdt"):
        size_at = data.index(box) - 4
        struct.pack_into(">I", data, size_at, struct.unpack_from(">I", data, size_at)[0] - 4)
    offset_at = data.index(b"trun") + 12
    struct.pack_into(">i", data, offset_at, struct.unpack_from(">i", data, offset_at)[0] - 4)
    narrow = parse_fragment(bytes(data), init)
    assert list(narrow.samples()) == list(fragments[1].samples())
    wide = retime(narrow, init, 1 << 40, 2)
    assert wide.decode_time == 1 << 40
    assert list(wide.samples()) == list(narrow.samples())


def test_flac_frames_decode_one_by_one_to_all_samples(files: dict[str, Path]) -> None:
    init, fragments = read(files["mics"].read_bytes())
    decoder = av.CodecContext.create("flac", "r")
    decoder.extradata = init.streaminfo
    got = [f for fragment in fragments for s in fragment.samples() for f in decoder.decode(av.Packet(s))]
    assert sum(f.samples for f in got) == 40_000
    assert all(np.shape(f.to_ndarray())[-1] for f in got)


def test_a_growing_file_is_indexed_from_where_the_last_look_ended(files: dict[str, Path], tmp_path: Path) -> None:
    data = files["video"].read_bytes()
    growing = tmp_path / "growing.mp4"
    whole = index_file(files["video"])
    assert whole.end == len(data)
    found, end, init = [], 0, None
    for size in [*range(0, len(data), 4_999), len(data)]:
        growing.write_bytes(data[:size])
        index = index_file(growing, end, init)
        found += index.fragments
        end, init = index.end, index.init
    assert found == whole.fragments
    assert found[0].from_ns == 0
    assert found[-1].to_ns == pytest.approx(2_500_000_000, abs=40_000_000)


def test_salvage_stops_before_the_damage(files: dict[str, Path], tmp_path: Path) -> None:
    data = files["video"].read_bytes()
    whole = index_file(files["video"])
    cut = whole.fragments[3].offset
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data[:cut] + bytes(4096))
    with pytest.raises(MediaError):
        index_file(broken)
    assert index_file(broken, salvage=True).end == cut
    assert index_file(broken, salvage=True).fragments == whole.fragments[:3]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 6_000), st.integers(0, 255)), min_size=1, max_size=8))
@pytest.mark.parametrize("name", SOURCES)
def test_damaged_bytes_are_refused_or_read_but_nothing_else(
    files: dict[str, Path], name: str, changes: list[tuple[int, int]], tmp_path: Path
) -> None:
    data = bytearray(files[name].read_bytes()[:8_000])
    for at, value in changes:
        data[at % len(data)] = value
    reader = BoxReader()
    with contextlib.suppress(MediaError):
        for item in reader.feed(bytes(data)):
            if isinstance(item, Fragment):
                assert reader.init is not None
                retime(item, reader.init, 5, 5)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    index_file(path, salvage=True)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=400))
def test_noise_is_refused(data: bytes) -> None:
    with contextlib.suppress(MediaError):
        assert [i for i in BoxReader().feed(data) if isinstance(i, Fragment)] == []


@pytest.mark.parametrize("name", SOURCES)
def test_a_stamped_fragment_says_its_utc_and_a_foreign_statement_is_replaced(
    files: dict[str, Path], name: str, tmp_path: Path
) -> None:
    init, fragments = read(files[name].read_bytes())
    utc_ns = 1_795_344_000_123_456_789
    foreign = ReferenceTime(init.table.track_id, 1, 2).pack()
    strange = [parse_fragment(foreign + f.data, init) for f in fragments]
    stamped = []
    for number, one in enumerate(strange):
        from_ns = to_ns(one.decode_time, init.timescale)
        stamped.append(retime(one, init, one.decode_time + 7, number, utc_ns + from_ns))
    assert [f.data.count(b"prft") for f in stamped] == [1] * len(fragments)
    assert [list(f.samples()) for f in stamped] == [list(f.samples()) for f in fragments]
    assert all(f.data[4:8] == b"prft" and f.data[36:40] == b"moof" for f in stamped)
    for one in stamped:  # what was computed is what is read
        assert parse_fragment(one.data, init) == one
        box = ReferenceTime.parse(one.data[8:32])
        assert (box.track_id, box.media_time, box.utc_ns) == (init.table.track_id, one.decode_time, one.utc_ns)
    file = tmp_path / "file.mp4"
    file.write_bytes(init.data + b"".join(f.data for f in stamped))
    index = index_file(file)
    assert [f.utc_ns for f in index.fragments] == [f.utc_ns for f in stamped]
    assert index.end == file.stat().st_size
    assert index.fragments[1].offset == len(init.data) + len(stamped[0].data)
    plain = retime(stamped[0], init, 5, 1)
    assert b"prft" not in plain.data
    assert plain.utc_ns is None


def test_a_players_library_plays_fragments_with_their_utc_to_the_last_frame(
    files: dict[str, Path], tmp_path: Path
) -> None:
    init, fragments = read(files["video"].read_bytes())
    stamped = [retime(f, init, f.decode_time, i, 10**18 + i) for i, f in enumerate(fragments)]
    file = tmp_path / "file.mp4"
    file.write_bytes(init.data + b"".join(f.data for f in stamped))
    probe = ["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"]
    counts = [subprocess.run([*probe, str(p)], check=True, stdout=subprocess.PIPE) for p in (file, files["video"])]
    assert counts[0].stdout == counts[1].stdout
    assert int(counts[0].stdout) >= 62


@given(utc_ns=st.integers(0, 4_200_000_000_000_000_000))
def test_utc_goes_through_ntp_to_the_nanosecond_also_after_2036(utc_ns: int) -> None:
    assert from_ntp(to_ntp(utc_ns)) == utc_ns


def test_a_reference_time_has_the_bytes_of_the_standard() -> None:
    box = ReferenceTime(track_id=1, utc_ns=500_000_000, media_time=90_000).pack()
    assert box.hex() == "0000002070726674010000180000000183aa7e80800000000000000000015f90"
    assert ReferenceTime.parse(box[8:]).utc_at(135_000, 90_000) == 1_000_000_000


def test_a_reference_time_of_version_0_is_read_and_a_short_one_refused() -> None:
    content = struct.pack(">IIQI", 0, 1, to_ntp(10**18), 48_000)
    assert ReferenceTime.parse(content) == ReferenceTime(1, 10**18, 48_000)
    with pytest.raises(MediaError):
        ReferenceTime.parse(content[:-1])
