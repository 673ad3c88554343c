"""The leases in the database (PostgreSQL): who owns which shard until when, by the database's clock alone.

A lease is taken when it has ended or was given back, and each taking raises its token, which never falls. Whoever
writes as the owner of a room holds the row of its shard with the token that it was given (`check_tokens`) until its
transaction is over; taking and giving back wait for that, so that no transaction of an owner ends after another owner
has begun. A renewal waits for nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table, select, text

from server.leases.center_process import CenterProcess
from server.leases.left_transactions import end_transactions
from server.leases.shards import fair_share

ROUND_MS = 2000
LOCK_MS = 1000
FORGET_MS = 60_000
"""So long a process that is gone is still listed."""

of_leases = MetaData()
"""What SQLite needs no table for: there is one process."""
leases = Table(
    "leases",
    of_leases,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("owner", String(32), nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)
center_processes = Table(
    "center_processes",
    of_leases,
    Column("name", String(32), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("address", String(300), nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)
"""Those that live, so that no two have one number. A gateway is listed without an address: nothing is handed on to it,
and it has no share."""

_NOW = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
_LIVE = text(
    "INSERT INTO center_processes (name, number, address, until_ms) VALUES (:name, :number, :address, :until)"
    " ON CONFLICT (name) DO UPDATE SET until_ms = excluded.until_ms"
)
_RENEW = text("UPDATE leases SET until_ms = :until WHERE owner = :name")
_TAKE = text(
    "WITH free AS (SELECT shard FROM leases WHERE until_ms < :now AND owner <> :name AND (:also_dead OR owner = '')"
    " ORDER BY shard LIMIT :most FOR UPDATE SKIP LOCKED)"
    " UPDATE leases SET owner = :name, token = token + 1, until_ms = :until FROM free"
    " WHERE leases.shard = free.shard RETURNING leases.shard, leases.token"
)
_HOLD = text("SELECT shard FROM leases WHERE owner = :name AND shard = ANY(:shards) ORDER BY shard FOR UPDATE")
_GIVE = text("UPDATE leases SET owner = '', until_ms = 0 WHERE owner = :name AND shard = ANY(:shards)")
_ALL = text("SELECT shard FROM leases WHERE owner = :name")


@dataclass(frozen=True, slots=True)
class LeaseRound:
    """What a process was told in one round."""

    now_ms: int
    """The database's clock."""
    tokens: Mapping[int, int]
    """Shards that it owns now -> token."""
    addresses: Mapping[int, str]
    """Shards that others own -> where these are reached."""
    surplus: frozenset[int]
    """Of its own, those that it is to give back."""
    next_end_ms: int | None
    """When the first lease of somebody else ends, unless it is renewed."""
    twin: str
    """The name of another living process of its number; empty where there is none."""
    ended: int
    """Transactions that processes which live no more had left open, and which were ended now."""


def renew(connection: Connection, mine: CenterProcess, lease_ms: int, *, also_dead: bool) -> LeaseRound:
    """Renew what this process owns, take what it is short of, and look around. `also_dead`: take also what ended
    without having been given back."""
    _hurry(connection)
    now = int(connection.execute(_NOW).scalar_one())
    until, name = now + lease_ms, mine.name
    me = {"name": name, "number": mine.number, "address": "" if mine.is_gateway else mine.address}
    connection.execute(_LIVE, {**me, "until": until})
    connection.execute(_RENEW, {"until": until, "name": name})
    p = center_processes.c
    processes = connection.execute(select(center_processes).where(p.until_ms > now - FORGET_MS)).all()
    living = {row.name: row for row in processes if row.until_ms > now}
    ended = end_transactions(connection, [row.name for row in processes if row.name not in living], lease_ms)
    share = 0 if mine.is_gateway else fair_share(sum(bool(row.address) for row in living.values()))
    rows = connection.execute(select(leases)).all()
    tokens = {row.shard: row.token for row in rows if row.owner == name}
    if len(tokens) < share and any(row.until_ms < now and row.owner != name for row in rows):
        wanted = {"now": now, "name": name, "until": until, "most": share - len(tokens), "also_dead": also_dead}
        tokens.update({row.shard: row.token for row in connection.execute(_TAKE, wanted)})
    connection.execute(center_processes.delete().where(p.until_ms <= now - FORGET_MS))
    others = [row for row in rows if row.shard not in tokens and row.owner]
    return LeaseRound(
        now,
        tokens,
        {row.shard: living[row.owner].address for row in others if row.owner in living and row.until_ms > now},
        frozenset(sorted(tokens)[share:]),
        min((row.until_ms for row in others), default=None),
        next((row.name for row in living.values() if row.number == mine.number and row.name != name), ""),
        ended,
    )


def give_back(connection: Connection, mine: CenterProcess, shards: Collection[int]) -> None:
    """Let others take these shards at once."""
    _hurry(connection)
    given = {"name": mine.name, "shards": sorted(shards)}
    connection.execute(_HOLD, given).all()
    connection.execute(_GIVE, given)


def leave(connection: Connection, mine: CenterProcess) -> None:
    """Let others take everything at once: this process ends."""
    held = connection.execute(_ALL, {"name": mine.name}).scalars().all()
    give_back(connection, mine, held)
    connection.execute(center_processes.delete().where(center_processes.c.name == mine.name))


def check_tokens(connection: Connection, mine: CenterProcess, wanted: Mapping[int, int]) -> frozenset[int]:
    """Those of the shards in `wanted` (with their tokens) that this process does not own any more. The others stay its
    own until the transaction is over."""
    c = leases.c
    query = (
        select(leases).where(c.shard.in_(sorted(wanted))).order_by(c.shard).with_for_update(read=True, key_share=True)
    )
    held = {row.shard for row in connection.execute(query) if (row.owner, row.token) == (mine.name, wanted[row.shard])}
    return frozenset(wanted.keys() - held)


def twin_of(connection: Connection, mine: CenterProcess) -> str:
    """The name of another living process of this one's number; empty where there is none. Who asks is not listed by it,
    and takes nothing: a process that is started twice by mistake has no share in the rooms."""
    _hurry(connection)
    now = connection.execute(_NOW).scalar_one()
    p = center_processes.c
    others = select(p.name).where(p.number == mine.number, p.name != mine.name, p.until_ms > now)
    return connection.execute(others).scalars().first() or ""


def living(connection: Connection) -> list[int]:
    """The numbers of the processes that share this database now."""
    now = connection.execute(_NOW).scalar_one()
    p = center_processes.c
    return sorted(connection.execute(select(p.number).where(p.until_ms > now)).scalars())


def _hurry(connection: Connection) -> None:
    """What cannot be done soon is done in the next round."""
    setting: Any = text("SELECT set_config('statement_timeout', :round, true), set_config('lock_timeout', :lock, true)")
    connection.execute(setting, {"round": f"{ROUND_MS}ms", "lock": f"{LOCK_MS}ms"})
