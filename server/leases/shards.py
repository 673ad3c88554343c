"""Into which of the shards a room falls: the same at every process, whatever rooms there are."""

from __future__ import annotations

import hashlib

SHARDS = 256


def shard_of(room: str) -> int:
    """0 to `SHARDS` - 1, of `court/room`."""
    return hashlib.sha256(room.encode()).digest()[0]


def fair_share(processes: int) -> int:
    """How many shards one of so many living processes owns at most."""
    return -(-SHARDS // max(processes, 1))
