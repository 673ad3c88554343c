"""What somebody does about their own account: password, second factors, recovery codes, sessions, another post.

Promises: whoever changes a factor shows the password once more, so a desk that was left open changes none; nobody
removes the last second factor; a new password ends all other sessions. Refused: what the court's provider keeps, which
is changed there, and whoever came by a role's shared code, who has no account.
"""

from __future__ import annotations

import asyncio

from fastapi import Request, Response
from sqlalchemy import Connection

from server.access.audit import address_of
from server.entrance.account.account_bodies import RecoveryCodes, ShownAccount, ShownFactor, ShownSession
from server.entrance.credential_rows import SECOND, credentials_of, remove_second, replace_kind
from server.entrance.new_factor import NewFactor, keep_factor, new_totp, proven_totp
from server.entrance.steps import NewTotp, PasskeyOptions, SignInStep
from server.entrance.ticket import Ticket
from server.entrance.way_in import LDAP, OIDC, Factors, WayIn, kept_passkey
from server.factors.passkeys import PasskeyPlace, made_passkey, passkey_creation
from server.factors.passwords import PasswordRules
from server.factors.recovery_codes import digest_of_code, new_recovery_codes
from server.factors.totp import new_totp_secret
from server.people.person import Person, Post
from sync.errors import AccessError, WutongError
from sync.http.rights.people import Session
from sync.runtime.units import NS_PER_MS


class OwnAccount:
    """All methods belong to one event loop."""

    def __init__(self, factors: Factors, way_in: WayIn, rules: PasswordRules, center_name: str) -> None:
        self._f = factors
        self._way_in = way_in
        self._rules = rules
        self._center_name = center_name

    def person(self, session: Session) -> Person:
        """Whose account it is; `AccessError` "no-account"."""
        known = self._f.people.known.person(session.person) if session.person else None
        if known is None:
            raise AccessError(
                "您用共享登录码登录，没有个人账户 (you came by a shared code: there is no account of yours)",
                code="no-account",
            )
        return known

    async def shown(self, session: Session) -> ShownAccount:
        """The account as its page shows it."""
        person = self.person(session)
        mine = await self._f.database.read(lambda c: credentials_of(c, person.id))
        factors: list[ShownFactor] = [
            {
                "id": one.id,
                "kind": one.kind,
                "label": one.label,
                "made_utc_ms": one.made_utc_ns // NS_PER_MS,
                "used_utc_ms": None if one.used_utc_ns is None else one.used_utc_ns // NS_PER_MS,
            }
            for one in mine
            if one.kind in SECOND
        ]
        return {
            "login": person.login,
            "name": person.name,
            "source": person.source,
            "role": session.role,
            "court": session.court,
            "court_name": self.court_name(session.court),
            "posts": await self._way_in.shown_posts(person),
            "factors": factors,
            "recovery_left": sum(one.kind == "recovery" for one in mine),
            "least_chars": self._rules.least_chars,
        }

    def sessions(self, person: str, current: str = "") -> list[ShownSession]:
        """Sessions of somebody; `current` is the id of the one that asks."""
        return [
            {
                "id": one.id,
                "role": one.role,
                "court_name": self.court_name(one.court),
                "began_utc_ms": int(one.since_s * 1000),
                "seen_utc_ms": int(one.used_s * 1000),
                "current": one.id == current,
            }
            for one in self._f.people.sessions.of(person)
        ]

    def court_name(self, court: str) -> str:
        """As people call it."""
        known = self._f.people.known.tree.courts.get(court)
        return court if known is None else known.name

    async def end_sessions(self, request: Request, session: Session, only: str = "") -> int:
        """End one of the own sessions, or all the others."""
        person = self.person(session)
        ended = await self._f.people.sessions.end(person.id, only=only, but="" if only else session.id)
        self._note(request, session, f"sessions-ended {only or 'others'}")
        return ended

    async def other_post(self, request: Request, response: Response, session: Session, post: Post) -> SignInStep:
        """Go on in another of the own posts; `leave_post` ends the session of the one before."""
        return await self._way_in.open_post(request, response, self.person(session), post, "other-post")

    async def leave_post(self, session: Session) -> None:
        """Once it is answered: what still came of the session before would be refused."""
        await self._f.people.sessions.end(session.person, only=session.id)

    # Factors.

    async def change_password(self, request: Request, session: Session, password: str, new: str) -> None:
        """`AccessError` "password", "weak-password", "throttled", "elsewhere"."""
        person = await self._shown_password(request, session, password)
        if person.source == LDAP:
            raise _elsewhere()
        self._rules.check(new, person.login, person.name)
        kept = await asyncio.to_thread(self._f.hashes.make, new)
        now_ns = self._f.tickets.now_ns()
        await self._f.database.write(lambda c: replace_kind(c, person.id, "password", [kept], now_ns))
        await self._f.people.sessions.end(person.id, but=session.id)
        self._note(request, session, "password-changed")

    async def totp_ask(self, request: Request, response: Response, session: Session, password: str) -> NewTotp:
        """A secret for another app."""
        person = await self._shown_password(request, session, password)
        secret = new_totp_secret()
        self._f.tickets.give(response, Ticket(wanted="add-factor", person=person.id, totp=secret))
        return new_totp(secret, person.login, self._center_name)

    async def add_totp(self, request: Request, response: Response, session: Session, code: str, label: str) -> None:
        """The app is there: it has shown a code."""
        ticket = self._ticket(request, session)
        factor = await proven_totp(self._f, ticket.person, ticket.totp, code, label)
        await self._add(request, response, session, factor)

    async def passkey_ask(
        self, request: Request, response: Response, session: Session, password: str
    ) -> PasskeyOptions:
        """The question by which a browser makes another passkey."""
        place = PasskeyPlace.of(request.headers.get("origin", ""))
        person = await self._shown_password(request, session, password)
        mine = await self._f.database.read(lambda c: credentials_of(c, person.id))
        known = [kept for kept in map(kept_passkey, mine) if kept is not None]
        options, challenge = passkey_creation(place, self._center_name, person.id, person.login, person.name, known)
        self._f.tickets.give(response, Ticket(wanted="add-factor", person=person.id, challenge=challenge))
        return {"options": options}

    async def add_passkey(
        self, request: Request, response: Response, session: Session, credential: dict[str, object], label: str
    ) -> None:
        """The passkey is there."""
        ticket = self._ticket(request, session)
        place = PasskeyPlace.of(request.headers.get("origin", ""))
        kept, counter = made_passkey(place, ticket.challenge, credential)
        await self._add(request, response, session, NewFactor("passkey", kept.model_dump_json(), label, counter))

    async def remove_factor(self, request: Request, session: Session, factor: str, password: str) -> None:
        """`AccessError` "last-factor", "password", "throttled"."""
        person = await self._shown_password(request, session, password)
        if not await self._f.database.write(lambda c: remove_second(c, person.id, factor)):
            raise AccessError(
                "这是最后一个第二因素，请先添加另一个 (the last second factor: add another before you remove it)",
                code="last-factor",
            )
        self._note(request, session, f"factor-removed {factor}")

    async def new_recovery(self, request: Request, session: Session, password: str) -> RecoveryCodes:
        """Ten new codes in place of those that are left."""
        person = await self._shown_password(request, session, password)
        codes = new_recovery_codes()
        digests, now_ns = [digest_of_code(one) for one in codes], self._f.tickets.now_ns()
        await self._f.database.write(lambda c: replace_kind(c, person.id, "recovery", digests, now_ns))
        self._note(request, session, "recovery-codes")
        return {"recovery_codes": codes}

    async def _add(self, request: Request, response: Response, session: Session, factor: NewFactor) -> None:
        person, now_ns = self.person(session), self._f.tickets.now_ns()

        def work(connection: Connection) -> str:
            return keep_factor(connection, self._f.seal, person.id, factor, now_ns)

        added = await self._f.database.write(work)
        self._f.tickets.drop(response)
        self._note(request, session, f"factor-added {factor.kind} {added}")

    def _ticket(self, request: Request, session: Session) -> Ticket:
        ticket = self._f.tickets.of(request, "add-factor")
        if ticket.person != session.person:
            raise AccessError("登录步骤已过期，请重新开始 (this has expired; begin again)", code="ticket")
        return ticket

    async def _shown_password(self, request: Request, session: Session, password: str) -> Person:
        """Whose password it is: the session's; guesses at it are slowed down as those of a second factor."""
        person = self.person(session)
        if person.source == OIDC:
            raise _elsewhere()
        try:
            async with self._f.guesses.factor_turn(person.id):
                if not await self._way_in.is_password(person, password):
                    raise AccessError("密码不正确 (the password is not right)", code="password")
        except WutongError as error:
            self._note(request, session, f"{error.code} account", what="refused")
            raise
        return person

    def _note(self, request: Request, session: Session, detail: str, what: str = "account") -> None:
        self._f.access.note(what, session.role, address_of(request), detail, session.person)


def _elsewhere() -> AccessError:
    return AccessError(
        "您的密码由统一身份认证或目录服务管理，请在那里修改 "
        "(your password is kept by the court's provider or directory: change it there)",
        code="elsewhere",
    )
