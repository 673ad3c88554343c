"""The tracks that every room has by the same names; a camera's track is named by the profile."""

from __future__ import annotations

MICROPHONES = "mics"
"""One lossless channel a seat."""
MIX = "mix"
"""All microphones together, to listen to."""
PROGRAM = "program"
"""The composed picture, where the profile asks for it."""

SOUND = frozenset({MICROPHONES, MIX})
