"""One-time codes by which somebody signs in for the first time, or again after a lost factor (登录启用码).

A code has 84 random bits, is kept as a hash, works once, and is the person's last: a new one replaces the one before.
Purposes: `sign-up` of a person whom an administrator has entered, `factor` after two administrators have reset their
factors, `machine` for an administrator who helps himself at the center's machine.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, delete, insert, select

from server.factors.recovery_codes import digest_of_code, grouped_code
from server.store.rights.credential_tables import sign_up_codes
from sync.runtime.units import NS_PER_S

SignUpPurpose = Literal["sign-up", "factor", "machine"]
LENGTH = 17
VALID_S = 7 * 24 * 3600


def new_sign_up_code(
    connection: Connection, person: str, purpose: SignUpPurpose, made_by: str, now_ns: int, valid_s: int = VALID_S
) -> tuple[str, int]:
    """(code, until when in UTC ns) for a person; their code of before opens nothing any more."""
    code, until = grouped_code(LENGTH), now_ns + valid_s * NS_PER_S
    c = sign_up_codes.c
    connection.execute(delete(sign_up_codes).where(c.person == person))
    row = {"sha256": digest_of_code(code), "person": person, "purpose": purpose, "made_by": made_by}
    connection.execute(insert(sign_up_codes).values(**row, made_utc_ns=now_ns, until_utc_ns=until))
    return code, until


def purpose_of_code(connection: Connection, person: str, code: str, now_ns: int) -> str | None:
    """What this code is for, where it is this person's and still good."""
    c = sign_up_codes.c
    query = select(c.purpose).where(c.sha256 == digest_of_code(code), c.person == person, c.until_utc_ns > now_ns)
    found = connection.execute(query).scalar()
    return None if found is None else str(found)


def use_sign_up_code(connection: Connection, person: str, sha256: str, now_ns: int) -> bool:
    """Take it; False when it was used, replaced or got old meanwhile."""
    c = sign_up_codes.c
    mine = (c.sha256 == sha256) & (c.person == person) & (c.until_utc_ns > now_ns)
    return connection.execute(delete(sign_up_codes).where(mine)).rowcount == 1
