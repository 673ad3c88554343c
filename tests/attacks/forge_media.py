"""Attacks on the media: what an attacker with the folder, and no key, can do to it."""

from __future__ import annotations

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


def box_without_end(f: Forgery) -> None:
    """A box that says that it has 4 GiB."""
    data = bytearray(f.read(JUDGE.format(1)))
    data[0:4] = b"\xff\xff\xff\xff"
    f.write(JUDGE.format(1), bytes(data))
