"""The tracks that every room has by the same names; a camera's track is named by the profile."""

from __future__ import annotations

MICROPHONES = "mics"
"""One lossless channel a seat."""
MIX = "mix"
"""All microphones together, to listen to."""
PROGRAM = "program"
"""The composed picture, where the profile asks for it."""
TILE = "tile"
"""The small picture for walls (小画面): live alone, made while somebody watches it, and never a part of the record."""

SOUND = frozenset({MICROPHONES, MIX})

COMPATIBLE_SUFFIX = "-h264"
"""Ends the name of the track that is made of a camera's H.265 for browsers that cannot play it."""


def is_made(track: str) -> bool:
    """Whether a track is made of others in the room: it may lag or be off, and the hearing is recorded all the same."""
    return track == PROGRAM or track.endswith(COMPATIBLE_SUFFIX)
