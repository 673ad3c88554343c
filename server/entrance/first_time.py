"""Somebody's first time: a new password, a second factor, recovery codes; and the center's first administrator.

Promises: nothing of it is kept until the second factor has proven itself, and then all of it is kept in one transaction
that uses up the one-time code. So nobody has a password without a second factor, and of two who come with one code only
one gets in. Whom the directory knows sets no password here, only the factor beside it.
"""

from __future__ import annotations

import asyncio

from fastapi import Request, Response
from sqlalchemy import Connection

from server.access.audit import address_of
from server.entrance.credential_rows import (
    SECOND,
    add_credential,
    credentials_of,
    remove_all,
    replace_kind,
)
from server.entrance.new_factor import NewFactor, keep_factor, new_totp, proven_totp
from server.entrance.sign_up import use_sign_up_code
from server.entrance.steps import PasskeyOptions, SignInStep
from server.entrance.ticket import Ticket
from server.entrance.way_in import Factors, WayIn
from server.factors.passkeys import PasskeyPlace, made_passkey, passkey_creation
from server.factors.passwords import PasswordRules
from server.factors.recovery_codes import digest_of_code, new_recovery_codes
from server.factors.totp import new_totp_secret
from server.people.person import Person, PersonForm, login_of
from sync.errors import AccessError

_USED = "启用码已使用或已失效，请向系统管理员索取新的 (the code was used, or is too old: ask for another)"


class FirstTime:
    """All methods belong to one event loop."""

    def __init__(self, factors: Factors, way_in: WayIn, rules: PasswordRules, center_name: str) -> None:
        self._f = factors
        self._way_in = way_in
        self._rules = rules
        self._center_name = center_name

    async def first_administrator(
        self, request: Request, response: Response, code: str, login: str, name: str, password: str
    ) -> SignInStep:
        """Whoever has the code of the first administrator says who that is. `AccessError` "code", "throttled"."""
        keys = self._f.guesses.keys(request, "first administrator", "")
        try:
            async with self._f.guesses.turn(keys):
                await asyncio.to_thread(self._f.people.first.code.check, code)
        except AccessError as error:
            self._f.access.note("refused", "", address_of(request), f"{error.code} first administrator")
            raise
        wanted = login_of(login)
        self._rules.check(password, wanted, name)
        kept = await asyncio.to_thread(self._f.hashes.make, password)
        ticket = Ticket(
            wanted="enroll-factor", login=wanted, name=name, password=kept, proven="first", code=digest_of_code(code)
        )
        return self._ask_for_factor(response, ticket, wanted)

    async def new_password(self, request: Request, response: Response, password: str) -> SignInStep:
        """The password of somebody who came with a one-time code; `AccessError` "weak-password"."""
        ticket = self._f.tickets.of(request, "new-password")
        person = self._person(ticket)
        self._rules.check(password, person.login, person.name)
        kept = await asyncio.to_thread(self._f.hashes.make, password)
        changed = ticket.model_copy(update={"password": kept, "wanted": "enroll-factor"})
        return self._ask_for_factor(response, changed, person.login)

    async def enroll_again(self, request: Request, response: Response) -> SignInStep:
        """The secret of the app once more, for a page that was loaded again, and for whom the directory let in."""
        ticket = self._f.tickets.of(request, "enroll-factor")
        return self._ask_for_factor(response, ticket, ticket.login or self._person(ticket).login)

    def _ask_for_factor(self, response: Response, ticket: Ticket, login: str) -> SignInStep:
        secret = ticket.totp or new_totp_secret()
        self._f.tickets.give(response, ticket.model_copy(update={"totp": secret}))
        return {"step": "enroll-factor", "totp": new_totp(secret, login, self._center_name)}

    async def by_totp(self, request: Request, response: Response, code: str) -> SignInStep:
        """The app is there: it has shown a code. `AccessError` "code", "throttled"."""
        ticket = self._f.tickets.of(request, "enroll-factor")
        factor = await proven_totp(self._f, ticket.person or ticket.login, ticket.totp, code)
        return await self._finish(request, response, ticket, factor)

    async def passkey_ask(self, request: Request, response: Response) -> PasskeyOptions:
        """The question by which a browser makes a passkey."""
        place = PasskeyPlace.of(request.headers.get("origin", ""))
        ticket = self._f.tickets.of(request, "enroll-factor")
        if not ticket.person:
            raise AccessError(
                "首位管理员请先用验证器，登录后再添加通行密钥 (begin with an authenticator app, then add a passkey)",
                code="passkey-place",
            )
        person = self._person(ticket)
        options, challenge = passkey_creation(place, self._center_name, person.id, person.login, person.name, [])
        self._f.tickets.give(response, ticket.model_copy(update={"challenge": challenge}))
        return {"options": options}

    async def by_passkey(
        self, request: Request, response: Response, credential: dict[str, object], label: str
    ) -> SignInStep:
        """The passkey is there. `AccessError` "passkey"."""
        place = PasskeyPlace.of(request.headers.get("origin", ""))
        ticket = self._f.tickets.of(request, "enroll-factor")
        kept, counter = made_passkey(place, ticket.challenge, credential)
        factor = NewFactor("passkey", kept.model_dump_json(), label, counter)
        return await self._finish(request, response, ticket, factor)

    async def _finish(self, request: Request, response: Response, ticket: Ticket, factor: NewFactor) -> SignInStep:
        """Keep it all, and go in."""
        codes = new_recovery_codes()
        now_ns = self._f.tickets.now_ns()
        person = ticket.person
        if not person:
            made = await self._f.people.first.make(_form(ticket.login, ticket.name), address_of(request))
            person = made.id
            await self._f.people.keep_first_code()

        def work(connection: Connection) -> None:
            if ticket.person and ticket.code:
                if not use_sign_up_code(connection, person, ticket.code, now_ns):
                    raise AccessError(_USED, code="ticket")
                remove_all(connection, person)
            elif any(one.kind in SECOND for one in credentials_of(connection, person)):
                raise AccessError(_USED, code="ticket")
            if ticket.password:
                add_credential(connection, person, "password", ticket.password, "", now_ns)
            keep_factor(connection, self._f.seal, person, factor, now_ns)
            replace_kind(connection, person, "recovery", [digest_of_code(one) for one in codes], now_ns)

        await self._f.database.write(work)
        if ticket.person:  # with the factors of before goes what they had opened, wherever that is
            await self._f.access.end_person(person)
        self._f.access.note("factors-set", "", address_of(request), f"{factor.kind} by {ticket.proven}", person)
        step = await self._way_in.let_in(request, response, person, f"{ticket.proven}+{factor.kind}")
        return {**step, "recovery_codes": codes}

    def _person(self, ticket: Ticket) -> Person:
        known = self._f.people.known.person(ticket.person)
        if known is None or not known.is_active:
            raise AccessError("此账号已停用 (this account is not active)", code="password")
        return known


def _form(login: str, name: str) -> PersonForm:
    return PersonForm(login=login, name=name, court="", posts=())
