"""A second factor that somebody adds: how an app gets its secret, that it has it, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass

import segno
from sqlalchemy import Connection

from server.entrance.credential_rows import MOST_OF_KIND, Kind, add_credential, credentials_of
from server.entrance.steps import NewTotp
from server.entrance.way_in import Factors
from server.factors.center_seal import CenterSeal
from server.factors.totp import step_of_code, totp_uri
from sync.errors import AccessError
from sync.runtime.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class NewFactor:
    """One that has just proven itself. `secret`: the app's, or the passkey as it is kept."""

    kind: Kind
    secret: str
    label: str = ""
    counter: int = 0


def new_totp(secret: str, login: str, center_name: str) -> NewTotp:
    """A secret as a page shows it, with the QR code for the app."""
    uri = totp_uri(secret, login, center_name)
    # Its colors are its own: an app reads dark on light, whatever the page is.
    drawn = segno.make(uri, error="m", micro=False).svg_inline(scale=5, border=3, dark="#000", light="#fff")
    return {"secret": secret, "uri": uri, "qr_svg": drawn}


async def proven_totp(factors: Factors, who: str, secret: str, code: str, label: str = "") -> NewFactor:
    """An app that shows the codes of this secret; `AccessError` "code", "throttled"."""
    now_s = factors.tickets.now_ns() / NS_PER_S
    async with factors.guesses.factor_turn(f"new {who}"):
        step = step_of_code(secret, code, now_s, last_step=0) if secret else None
        if step is None:
            raise AccessError(
                "验证码不正确，请核对手机的时间 (the code is not right; check the phone's clock)", code="code"
            )
    return NewFactor("totp", secret, label, step)


def keep_factor(connection: Connection, seal: CenterSeal, person: str, factor: NewFactor, now_ns: int) -> str:
    """Write it down; its id. `AccessError` "too-many"."""
    if sum(one.kind == factor.kind for one in credentials_of(connection, person)) >= MOST_OF_KIND:
        raise AccessError(f"最多 {MOST_OF_KIND} 个，请先删除一个 (at most {MOST_OF_KIND}; remove one)", code="too-many")
    secret = seal.seal("totp", person, factor.secret) if factor.kind == "totp" else factor.secret
    return add_credential(connection, person, factor.kind, secret, factor.label, now_ns, factor.counter)
