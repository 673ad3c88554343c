"""Somebody of a court, the posts that they hold, and the form in which they are written down."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from server.store.rights.posts import ACTIVE
from sync.http.rights.roles import ADMINISTRATOR, ROLES, power_of

MOST_POSTS: Final = 8
NAME_CHARS: Final = 40
LOGIN_CHARS: Final = 64
_LOGIN: Final = re.compile(r"[^\W_][\w.@+-]{1,63}")
SOURCES: Final = ("local", "oidc", "ldap")


@dataclass(frozen=True, slots=True, order=True)
class Post:
    """岗位: a role at a court, by its slug."""

    role: str
    court: str


@dataclass(frozen=True, slots=True)
class Person:
    """A row of `persons` with its posts. Moments are UTC in nanoseconds."""

    id: str
    login: str
    name: str
    court: str
    state: str
    source: str
    subject: str
    posts: frozenset[Post]
    made_utc_ns: int
    left_utc_ns: int | None = None
    seen_utc_ns: int | None = None

    @property
    def is_active(self) -> bool:
        """Whether they work here and are not locked."""
        return self.state == ACTIVE

    @property
    def administers(self) -> frozenset[str]:
        """The courts at which they are administrator; none unless they are active."""
        return frozenset(post.court for post in self.posts if post.role == ADMINISTRATOR and self.is_active)

    @property
    def courts(self) -> frozenset[str]:
        """Their own court and those of their posts."""
        return frozenset((self.court, *(post.court for post in self.posts)))


@dataclass(frozen=True, slots=True)
class PersonForm:
    """What is to be written down of somebody; texts are clean, nothing else is judged yet."""

    login: str
    name: str
    court: str
    posts: tuple[Post, ...]
    source: str = "local"
    subject: str = ""


def login_of(text: str) -> str:
    """A login as it is kept and compared; width and case do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.strip()).casefold())


def is_login(login: str) -> bool:
    """Whether this can be one: 2 to 64 letters, digits and . _ @ + -, and it begins with a letter or a digit."""
    return _LOGIN.fullmatch(login) is not None


def powers_refused(posts: tuple[Post, ...]) -> str:
    """Why somebody cannot hold these posts together, in words; nothing when they can."""
    powers = {power_of(post.role) for post in posts if post.role in ROLES}
    if len(powers) < 2:
        return ""
    return (
        "一人不能兼任管理、审计与查阅（三权分立），请分别指定不同人员 (one person manages, audits or sees hearings,"
        " never two of these: name different people)"
    )
