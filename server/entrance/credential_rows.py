"""What a person proves themself by, in the database. Each function works within the transaction that it is given.

A code of an app and a passkey's answer are taken in one statement that asks for the state they were judged by, so of
two requests that show the same one only one is let in.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, update

from server.factors.recovery_codes import digest_of_code
from server.store.rights.credential_tables import credentials

Kind = Literal["password", "totp", "passkey", "recovery"]
SECOND: frozenset[str] = frozenset({"totp", "passkey"})
"""Kinds that are a second factor by themselves."""
MOST_OF_KIND = 10


@dataclass(frozen=True, slots=True)
class Credential:
    """One of a person's."""

    id: str
    person: str
    kind: str
    secret: str
    label: str
    made_utc_ns: int
    used_utc_ns: int | None
    counter: int


def credentials_of(connection: Connection, person: str) -> list[Credential]:
    """All of a person's, the oldest first."""
    c = credentials.c
    rows = connection.execute(select(credentials).where(c.person == person).order_by(c.made_utc_ns, c.id))
    return [Credential(*row) for row in rows]


def add_credential(
    connection: Connection, person: str, kind: Kind, secret: str, label: str, now_ns: int, counter: int = 0
) -> str:
    """Keep a new one; its id."""
    row = {"id": secrets.token_hex(8), "person": person, "kind": kind, "secret": secret, "label": label}
    connection.execute(insert(credentials).values(**row, made_utc_ns=now_ns, used_utc_ns=None, counter=counter))
    return row["id"]


def replace_kind(connection: Connection, person: str, kind: Kind, secrets_: Sequence[str], now_ns: int) -> None:
    """These in place of all of a kind."""
    c = credentials.c
    connection.execute(delete(credentials).where(c.person == person, c.kind == kind))
    for secret in secrets_:
        add_credential(connection, person, kind, secret, "", now_ns)


def remove_all(connection: Connection, person: str) -> None:
    """Forget everything by which a person has signed in."""
    connection.execute(delete(credentials).where(credentials.c.person == person))


def remove_second(connection: Connection, person: str, credential: str) -> bool:
    """Remove one second factor; False when there is none of that id, or it is the last."""
    c = credentials.c
    mine = [row for row in credentials_of(connection, person) if row.kind in SECOND]
    if len(mine) < 2 or all(row.id != credential for row in mine):
        return False
    connection.execute(delete(credentials).where(c.id == credential, c.person == person))
    return True


def use_step(connection: Connection, credential: str, step: int, now_ns: int) -> bool:
    """Take a code of an app; False when it, or a later one, was taken meanwhile."""
    c = credentials.c
    unused = update(credentials).where(c.id == credential, c.counter < step)
    return connection.execute(unused.values(counter=step, used_utc_ns=now_ns)).rowcount == 1


def use_passkey(connection: Connection, one: Credential, counter: int, asked_ns: int, now_ns: int) -> bool:
    """Take a passkey's answer to a question of `asked_ns`; False when it was used since the question was asked."""
    c = credentials.c
    before = c.used_utc_ns.is_(None) | (c.used_utc_ns < asked_ns)
    unused = update(credentials).where(c.id == one.id, c.counter == one.counter, before)
    return connection.execute(unused.values(counter=counter, used_utc_ns=now_ns)).rowcount == 1


def use_recovery(connection: Connection, person: str, code: str) -> bool:
    """Take a recovery code, which is gone with that; False when it is none of this person's."""
    c = credentials.c
    mine = (c.person == person) & (c.kind == "recovery") & (c.secret == digest_of_code(code))
    return connection.execute(delete(credentials).where(mine)).rowcount == 1
