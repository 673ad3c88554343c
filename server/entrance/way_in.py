"""The steps of somebody who is known here: first factor, second factor, post.

Promises: nobody learns from an answer, or from how long it takes, whether a login exists; a second factor counts once;
what comes next is judged by the database at each step, so who was locked meanwhile does not get in. A directory or a
provider that is away is said to be away, and shuts nobody out who is in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request, Response
from sqlalchemy import Connection

from server.access.audit import address_of
from server.entrance.credential_rows import (
    Credential,
    credentials_of,
    use_passkey,
    use_recovery,
    use_step,
)
from server.entrance.guesses import Guesses
from server.entrance.last_posts import note_last_post, offered_posts
from server.entrance.sign_up import purpose_of_code
from server.entrance.steps import PasskeyOptions, ProviderAddress, ShownPost, SignInStep, WayName
from server.entrance.ticket import Ticket, Tickets
from server.factors.center_seal import CenterSeal
from server.factors.directory import Directory
from server.factors.passkeys import (
    KeptPasskey,
    PasskeyPlace,
    counter_of_answer,
    credential_id,
    passkey_question,
    read_kept_passkey,
    user_handle,
)
from server.factors.passwords import PasswordHashes
from server.factors.provider import Provider
from server.factors.recovery_codes import digest_of_code
from server.factors.totp import step_of_code
from server.people.parts import PeopleParts
from server.people.person import Person, Post, login_of
from server.store.database import Database
from sync.errors import AccessError
from sync.http.rights.access import Access
from sync.runtime.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class Factors:
    """What the ways in stand on."""

    database: Database
    people: PeopleParts
    access: Access
    seal: CenterSeal
    hashes: PasswordHashes
    guesses: Guesses
    tickets: Tickets
    provider: Provider | None
    directory: Directory | None


LOCAL, LDAP, OIDC = "local", "ldap", "oidc"


class WayIn:
    """All methods belong to one event loop."""

    def __init__(self, factors: Factors) -> None:
        self._f = factors

    # First factors.

    async def by_password(self, request: Request, response: Response, login: str, password: str) -> SignInStep:
        """Who has this login and password, or one-time code, goes on. `AccessError` "password", "throttled",
        "directory-away"."""
        person, mine = await self.recognized(request, login, password)
        if person.source == LOCAL and not any(one.kind == "password" for one in mine):
            ticket = Ticket(wanted="new-password", person=person.id, proven="code", code=digest_of_code(password))
            self._f.tickets.give(response, ticket)
            return {"step": "new-password", "name": person.name}
        proven = "password" if person.source == LOCAL else "directory"
        ways = ways_of(mine)
        if not ways:
            ticket = Ticket(wanted="enroll-factor", person=person.id, proven=proven)
            self._f.tickets.give(response, ticket)
            return {"step": "enroll-factor", "name": person.name}
        self._f.tickets.give(response, Ticket(wanted="second-factor", person=person.id, proven=proven))
        return {"step": "totp" if "totp" in ways else "passkey", "name": person.name, "ways": ways}

    async def recognized(
        self, request: Request, login: str, password: str, *, by: str = ""
    ) -> tuple[Person, list[Credential]]:
        """(who it is, what they have to prove themselves by), by a login and its password or one-time code; errors as
        those of `by_password`. `by`: what guesses are counted by, where it is not a browser that asks."""
        wanted = login_of(login)
        person = await self._f.people.store.by_login(wanted)
        if person is not None and not (person.is_active and person.posts):
            person = None
        one = "" if person is None else person.id
        mine = await self._f.database.read(lambda c: credentials_of(c, one))
        keys = self._f.guesses.keys(request, f"{wanted}{by}", one)
        try:
            async with self._f.guesses.turn(keys):
                if not await self._is_first_factor(person, mine, login, password) or person is None:
                    raise AccessError("登录名或密码不正确 (login or password is not right)", code="password")
        except AccessError as error:
            self._f.access.note("refused", "", address_of(request), f"{error.code} sign-in", one)
            raise
        return person, mine

    async def _is_first_factor(self, person: Person | None, mine: list[Credential], login: str, password: str) -> bool:
        """Whether the password, or a one-time code, is this person's; nobody's takes as long as a wrong one."""
        f = self._f
        is_local = person is not None and person.source == LOCAL
        kept = next((one.secret for one in mine if one.kind == "password"), None) if is_local else None
        right = await asyncio.to_thread(f.hashes.is_right, kept, password)
        if person is None or person.source == LDAP:
            there = login if person is None else person.subject or login
            found = None if f.directory is None else await asyncio.to_thread(f.directory.entry_of, there, password)
            return person is not None and found is not None
        if person.source != LOCAL or kept is not None:
            return right
        now_ns = f.tickets.now_ns()
        purpose = await f.database.read(lambda c: purpose_of_code(c, person.id, password, now_ns))
        return purpose is not None

    async def is_password(self, person: Person, password: str) -> bool:
        """Whether it is the password of somebody who is known already."""
        mine = await self._f.database.read(lambda c: credentials_of(c, person.id))
        kept = next((one.secret for one in mine if one.kind == "password"), None)
        if person.source == LDAP:
            return await self._is_first_factor(person, mine, person.login, password)
        return await asyncio.to_thread(self._f.hashes.is_right, kept, password)

    async def provider_begin(self, request: Request, response: Response) -> ProviderAddress:
        """Where the browser goes to sign in at the provider; it comes back to this center's `/account`."""
        provider = self._provider()
        origin = request.headers.get("origin", "")
        url, trip = await provider.begin(f"{origin}/account")
        self._f.tickets.give(response, Ticket(wanted="provider", trip=trip))
        return {"url": url}

    async def provider_finish(
        self, request: Request, response: Response, code: str, state: str, issuer: str
    ) -> SignInStep:
        """Who came back from it. `AccessError` "provider", "provider-away", "unknown-person"."""
        trip = self._f.tickets.of(request, "provider").trip
        assert trip is not None, "tickets for a provider have a trip"
        who = await self._provider().finish(trip, code, state, issuer)
        person = await self._f.people.store.by_subject(OIDC, who.subject)
        if person is None and who.login:
            person = await self._f.people.store.by_subject(OIDC, who.login)
        if person is None or not person.is_active:
            self._f.access.note("refused", "", address_of(request), "unknown-person sign-in")
            raise AccessError(
                "统一身份认证认识您，但本中心没有您的账号，请联系系统管理员 "
                "(the provider knows you, and this center has no account of yours: ask its administrator)",
                code="unknown-person",
            )
        return await self.let_in(request, response, person.id, "provider")

    def _provider(self) -> Provider:
        if self._f.provider is None:
            raise AccessError("本中心没有接入统一身份认证 (this center has no identity provider)", code="not-found")
        return self._f.provider

    # Second factors.

    async def by_totp(self, request: Request, response: Response, code: str) -> SignInStep:
        """A code of an app."""
        ticket = self._f.tickets.of(request, "second-factor")
        await self.prove_totp(request, ticket.person, code)
        return await self.let_in(request, response, ticket.person, f"{ticket.proven}+totp")

    async def prove_totp(self, request: Request, person: str, code: str) -> None:
        """`AccessError` "code" when it is none of this person's now, or was used; "throttled"."""
        now_ns = self._f.tickets.now_ns()

        def work(connection: Connection) -> bool:
            for one in credentials_of(connection, person):
                secret = self._f.seal.open("totp", person, one.secret) if one.kind == "totp" else None
                step = None if secret is None else step_of_code(secret, code, now_ns / NS_PER_S, one.counter)
                if step is not None and use_step(connection, one.id, step, now_ns):
                    return True
            return False

        await self._second(request, person, work)

    async def by_recovery(self, request: Request, response: Response, code: str) -> SignInStep:
        """One of the codes on paper."""
        ticket = self._f.tickets.of(request, "second-factor")
        await self.prove_recovery(request, ticket.person, code)
        mine = await self._f.database.read(lambda c: credentials_of(c, ticket.person))
        step = await self.let_in(request, response, ticket.person, f"{ticket.proven}+recovery")
        return {**step, "recovery_left": sum(one.kind == "recovery" for one in mine)}

    async def prove_recovery(self, request: Request, person: str, code: str) -> None:
        """`AccessError` "code" when it is none of this person's, or was used; "throttled"."""
        await self._second(request, person, lambda connection: use_recovery(connection, person, code))

    async def _second(self, request: Request, person: str, work: Callable[[Connection], bool]) -> None:
        try:
            async with self._f.guesses.factor_turn(person):
                if not await self._f.database.write(work):
                    raise AccessError("验证码不正确或已用过 (the code is not right, or was used)", code="code")
        except AccessError as error:
            self._f.access.note("refused", "", address_of(request), f"{error.code} second factor", person)
            raise

    async def passkey_ask(self, request: Request, response: Response) -> PasskeyOptions:
        """The question to a passkey: of the person who has shown the first factor, or of whoever has one."""
        place = PasskeyPlace.of(request.headers.get("origin", ""))
        ticket = self._f.tickets.any_of(request)
        if ticket is None or ticket.wanted != "second-factor":
            ticket = Ticket(wanted="passkey")
        person, known = ticket.person, None
        if person:
            mine = await self._f.database.read(lambda c: credentials_of(c, person))
            known = [kept for kept in map(kept_passkey, mine) if kept is not None]
        options, challenge = passkey_question(place, known)
        asked = {"challenge": challenge, "asked_ns": self._f.tickets.now_ns()}
        self._f.tickets.give(response, ticket.model_copy(update=asked))
        return {"options": options}

    async def by_passkey(self, request: Request, response: Response, credential: dict[str, object]) -> SignInStep:
        """A passkey's answer; alone it is two factors, since it has verified its user."""
        place = PasskeyPlace.of(request.headers.get("origin", ""))
        ticket = self._f.tickets.of(request, "second-factor", "passkey")
        person, wanted = ticket.person or user_handle(credential), credential_id(credential)
        now_ns = self._f.tickets.now_ns()

        def work(connection: Connection) -> bool:
            for one in credentials_of(connection, person):
                kept = kept_passkey(one)
                if kept is not None and kept.credential == wanted and ticket.challenge:
                    counter = counter_of_answer(place, ticket.challenge, credential, kept, one.counter)
                    return use_passkey(connection, one, counter, ticket.asked_ns, now_ns)
            return False

        try:
            if not await self._f.database.write(work):
                raise AccessError("通行密钥未通过验证，请再试一次 (the passkey was not accepted)", code="passkey")
        except AccessError as error:
            self._f.access.note("refused", "", address_of(request), f"{error.code} sign-in", ticket.person)
            raise
        return await self.let_in(request, response, person, f"{ticket.proven}+passkey".lstrip("+"))

    # Posts.

    async def let_in(self, request: Request, response: Response, person: str, proven: str) -> SignInStep:
        """Who has proven all goes in, or says first in which post. `AccessError` "password" for who was locked."""
        known = self._active(person)
        if len(known.posts) == 1:
            return await self.open_post(request, response, known, next(iter(known.posts)), proven)
        self._f.tickets.give(response, Ticket(wanted="post", person=known.id, proven=proven))
        return {"step": "post", "name": known.name, "posts": await self.shown_posts(known)}

    async def choose_post(self, request: Request, response: Response, post: Post) -> SignInStep:
        """In which post somebody goes in."""
        ticket = self._f.tickets.of(request, "post")
        return await self.open_post(request, response, self._active(ticket.person), post, ticket.proven)

    async def shown_posts(self, person: Person) -> list[ShownPost]:
        """Their posts, the last one first."""
        posts = await self._f.database.read(lambda c: offered_posts(c, person))
        courts = self._f.people.known.tree.courts
        named = [(post, courts[post.court].name) for post in posts if post.court in courts]
        return [{"role": post.role, "court": post.court, "court_name": name} for post, name in named]

    async def open_post(
        self, request: Request, response: Response, person: Person, post: Post, proven: str
    ) -> SignInStep:
        """Open the session of somebody who was recognized; `AccessError` "post" when it is none of theirs."""
        await self._f.people.sessions.open(request, response, person.id, post, proven)
        if len(person.posts) > 1:
            await self._f.database.write(lambda c: note_last_post(c, person.id, post))
        self._f.guesses.know(request, response, person.id)
        self._f.tickets.drop(response)
        return {"step": "done", "name": person.name, "role": post.role, "court": post.court, "person": person.id}

    def _active(self, person: str) -> Person:
        known = self._f.people.known.person(person)
        if known is None or not known.is_active or not known.posts:
            raise AccessError("此账号已停用 (this account is not active)", code="password")
        return known


def ways_of(mine: list[Credential]) -> list[WayName]:
    """Which second factors somebody has; recovery codes only beside another."""
    kinds = {one.kind for one in mine}
    ways: list[WayName] = []
    if "totp" in kinds:
        ways.append("totp")
    if "passkey" in kinds:
        ways.append("passkey")
    if ways and "recovery" in kinds:
        ways.append("recovery")
    return ways


def kept_passkey(one: Credential) -> KeptPasskey | None:
    """The passkey that a credential is; None of another kind."""
    return read_kept_passkey(one.secret) if one.kind == "passkey" else None
