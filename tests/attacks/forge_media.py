"""Attacks on the media: what an attacker with the folder, and no key, can do to it."""

from __future__ import annotations

import struct
import subprocess

from tests.attacks.forge_folder import Forgery

JUDGE = "media/judge/{:05d}.mp4"


def bit_flipped(f: Forgery) -> None:
    """1: in the picture."""
    f.flip(JUDGE.format(1))


def bit_flipped_in_sound(f: Forgery) -> None:
    """1: in the lossless sound."""
    f.flip("media/mics/00002.mp4")


def segment_deleted(f: Forgery) -> None:
    """2"""
    f.remove(JUDGE.format(2))


def segment_deleted_with_its_leaf(f: Forgery) -> None:
    """2: and the ledger made to fit."""
    f.remove(JUDGE.format(2))
    f.edit("segment", lambda event: None, nth=2)
    f.reseal()
    f.derive()


def segments_swapped(f: Forgery) -> None:
    """3"""
    first, second = f.read(JUDGE.format(1)), f.read(JUDGE.format(2))
    f.write(JUDGE.format(1), second)
    f.write(JUDGE.format(2), first)


def segment_inserted(f: Forgery) -> None:
    """4: a copy under a number of its own."""
    f.write("media/judge/00009.mp4", f.read(JUDGE.format(1)))
    f.reindex(sign=False)


def segment_repeated(f: Forgery) -> None:
    """4: a copy in the place of the next."""
    f.write(JUDGE.format(2), f.read(JUDGE.format(1)))


def first_segments_dropped(f: Forgery) -> None:
    """5"""
    for track in ("judge", "mics", "mix"):
        f.remove(f"media/{track}/00000.mp4")


def remuxed(f: Forgery) -> None:
    """9: the same coded pictures and times in other boxes."""
    path = f.folder / JUDGE.format(1)
    made = f.folder.parent / f"{f.folder.name}-remuxed.mp4"
    flags = "empty_moov+default_base_moof+frag_keyframe+skip_trailer"
    words = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-copyts", "-i", str(path), "-c", "copy", "-movflags", flags]
    subprocess.run([*words, str(made)], check=True)
    f.write(JUDGE.format(1), made.read_bytes())


def re_encoded(f: Forgery) -> None:
    """9: other pictures of the same length."""
    path = f.folder / JUDGE.format(1)
    made = f.folder.parent / f"{f.folder.name}-encoded.mp4"
    words = f"ffmpeg -v error -nostdin -y -i {path} -vf negate -c:v libx264 -preset ultrafast -g 25 -bf 0".split()
    flags = "empty_moov+default_base_moof+frag_keyframe+skip_trailer"
    subprocess.run([*words, "-movflags", flags, str(made)], check=True)
    f.write(JUDGE.format(1), made.read_bytes())


def segment_of_another_hearing(f: Forgery, other: Forgery) -> None:
    """16"""
    f.write(JUDGE.format(3), other.read(JUDGE.format(3)))


def _box(name: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), name) + content


def bomb(kind: str) -> bytes:
    """What a few bytes may claim behind an honest init segment."""
    traf = [_box(b"tfhd", struct.pack(">II", 0x20000, 1)), _box(b"tfdt", struct.pack(">IQ", 1 << 24, 0))]

    def moof(*runs: bytes) -> bytes:
        return _box(b"moof", _box(b"mfhd", struct.pack(">II", 0, 1)), _box(b"traf", *traf, *runs))

    def run(count: int, offset: int = 0) -> bytes:
        return _box(b"trun", struct.pack(">IIi", 1, count, offset))

    if kind == "empty samples in many runs":
        return moof(*(run(100_000) for _ in range(200))) + _box(b"mdat")
    if kind == "many runs":
        return moof(*(run(0) for _ in range(5000))) + _box(b"mdat")
    if kind == "one byte a sample and no media":
        traf[0] = _box(b"tfhd", struct.pack(">III", 0x20010, 1, 1))
        return (moof(run(10_000)) + _box(b"mdat")) * 60
    if kind == "described again and again":
        traf[0] = _box(b"tfhd", struct.pack(">III", 0x20010, 1, 1))
        return moof(run(10_000)) * 200
    if kind == "boxes without content":
        return _box(b"free") * 3000
    if kind == "boxes inside a description":
        return moof(_box(b"free") * 5000) + _box(b"mdat")
    raise ValueError(kind)


BOMBS = (
    "empty samples in many runs",
    "many runs",
    "one byte a sample and no media",
    "described again and again",
    "boxes without content",
    "boxes inside a description",
)


def box_without_end(f: Forgery) -> None:
    """A box that says that it has 4 GiB."""
    data = bytearray(f.read(JUDGE.format(1)))
    data[0:4] = b"\xff\xff\xff\xff"
    f.write(JUDGE.format(1), bytes(data))
