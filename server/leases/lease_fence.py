"""The fence of a process: no transaction that it writes as the owner of a room is kept once another owns the room.

Asked last in the transaction itself, so that a lease that was lost while it was written takes all of it back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from sqlalchemy import Connection

from server.leases.center_process import CenterProcess
from server.leases.lease_rows import check_tokens
from server.leases.shards import shard_of
from server.store.refusals import LeaseLostError


class LeaseFence:
    """Called in the thread that writes; `hold` belongs to the event loop."""

    def __init__(self, mine: CenterProcess, lost: Callable[[frozenset[int]], None]) -> None:
        """`lost` is told, in the thread that writes, of shards that turned out to be another's."""
        self._mine = mine
        self._lost = lost
        self._tokens: Mapping[int, int] = {}

    def hold(self, tokens: Mapping[int, int]) -> None:
        """These shards are this process's own, with these tokens."""
        self._tokens = dict(tokens)

    def __call__(self, connection: Connection, rooms: Collection[str]) -> None:
        """`LeaseLostError` unless all of these rooms are this process's own until the transaction is over."""
        tokens, shards = self._tokens, {room: shard_of(room) for room in rooms}
        gone = frozenset(shards.values() - tokens.keys())
        if not gone:
            wanted = {shard: tokens[shard] for shard in sorted(set(shards.values()))}
            gone = check_tokens(connection, self._mine, wanted)
        if gone:
            self._lost(gone)
            raise LeaseLostError(frozenset(room for room, shard in shards.items() if shard in gone))
