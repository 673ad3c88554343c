"""Tables of how people sign in: credentials, one-time codes, last posts, and acts of two persons (migration 0020)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from server.store.tables import metadata

credentials = Table(
    "credentials",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("person", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("secret", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("made_utc_ns", BigInteger, nullable=False),
    Column("used_utc_ns", BigInteger),
    Column("counter", BigInteger, nullable=False),
    Index("credentials_person", "person", "kind"),
)
"""What a person proves themself by. `secret`: of a password its argon2id hash, of an app the sealed secret, of a
passkey its public key, of a recovery code its SHA-256. `counter`: of an app the last step, of a passkey its own."""
sign_up_codes = Table(
    "sign_up_codes",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("person", String(16), nullable=False),
    Column("purpose", String(24), nullable=False),
    Column("made_by", String(16), nullable=False),
    Column("made_utc_ns", BigInteger, nullable=False),
    Column("until_utc_ns", BigInteger, nullable=False),
    Index("sign_up_codes_person", "person"),
)
"""One-time codes with which somebody signs in for the first time; deleted when they are used."""
last_posts = Table(
    "last_posts",
    metadata,
    Column("person", String(16), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("court", String(31), nullable=False),
)
"""In which post somebody of several was signed in last."""
two_person_acts = Table(
    "two_person_acts",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("person", String(16), nullable=False),
    Column("court", String(31), nullable=False),
    Column("why", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("asked_by", String(16), nullable=False),
    Column("asked_utc_ns", BigInteger, nullable=False),
    Column("until_utc_ns", BigInteger, nullable=False),
    Column("decided_by", String(16)),
    Column("decided_utc_ns", BigInteger),
    Index("two_person_acts_state", "state", "asked_utc_ns"),
)
"""What two administrators do together: one asks, another confirms or refuses."""
