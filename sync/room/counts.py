"""What the services of a room count, said on their feeds for whoever measures the room (topic `counts`).

Numbers of this life of the service, and nothing of any hearing. They stay in the room: the uplink sends none of them to
the center.
"""

from __future__ import annotations

from typing import Final

from typing_extensions import TypedDict

COUNTS: Final = "counts"
"""The topic."""
COUNTS_S: Final = 5.0
"""How often it is said where asking costs a look into a file."""
MOST_BYTES: Final = 64 * 1024
"""Of a message."""


class TrackCounts(TypedDict):
    """One track of the recorder."""

    id: str
    fragments: int
    """On the disk."""
    waiting: int
    """Orders that the track's writer has not carried out."""
    dropped: int
    """Fragments that were to be kept and are not: the disk was too slow, or did not take them."""
    gaps: int
    gap_ns: int
    """How long they were together."""


class RecorderCounts(TypedDict):
    """The recorder."""

    tracks: list[TrackCounts]
    events_waiting: int
    """Facts that the room's log has not taken yet."""


class TranscriberCounts(TypedDict):
    """The transcriber."""

    waiting_turns: int
    """Turns that are over and not written yet."""
    waiting_hearings: int
    """Hearings of which words may still come."""


class UplinkCounts(TypedDict):
    """The uplink."""

    oldest_pending_utc_ns: int | None
    """When the oldest event was said that the center has not receipted; null where none waits."""
    receipted_events: int
    pending_files: int
    upload_refused: bool
    """Whether the last file that was tried was not taken."""
    backlog_bytes: int
    """What waits on its way to the broker."""
    clock_ahead_s: float | None
    """How far the room's clock was ahead of the center's; null where they were not compared."""


class SignerCounts(TypedDict):
    """The signer, asked at its own socket."""

    signed: int
    refused: int
    """Questions to which it did not sign, whatever the reason."""
