"""What a person's row must be before it is kept, each field in its own words."""

from __future__ import annotations

from collections.abc import Sequence

from server.people.court_tree import CourtTree
from server.people.faults import FieldFault
from server.people.person import MOST_POSTS, NAME_CHARS, SOURCES, Person, Post, is_login, powers_refused
from sync.http.rights.roles import ROLES

_NO_COURT = "没有这个法院，或不在您的管辖范围 (there is no such court within your reach)"


def faults_of(
    person: Person,
    tree: CourtTree,
    reach: frozenset[str],
    before: Person | None = None,
    given: Sequence[Post] = (),
) -> list[FieldFault]:
    """What keeps this person from being written down by somebody of this `reach`; `before`: as they were, `given`: the
    posts in the order in which they were sent. Posts outside of the reach stay as they are; nobody gives or takes them.
    """
    faults: list[FieldFault] = []
    if not is_login(person.login):
        text = "登录名为 2 至 64 个字母、数字或 . _ @ + -，以字母或数字开头 (2 to 64 letters, digits or . _ @ + -)"
        faults.append(FieldFault("login", text))
    if not 1 <= len(person.name) <= NAME_CHARS:
        faults.append(FieldFault("name", f"姓名为 1 至 {NAME_CHARS} 个字 (a name has 1 to {NAME_CHARS} characters)"))
    if person.court not in reach and (before is None or before.court != person.court):
        faults.append(FieldFault("court", _NO_COURT))
    if person.source not in SOURCES or (person.source != "local" and not person.subject):
        faults.append(FieldFault("source", "登录来源无法识别 (this way to be known is none)"))
    held = frozenset() if before is None else before.posts
    if person.posts == held:
        return faults
    posts = list(given) or sorted(person.posts)
    if not 1 <= len(person.posts) <= MOST_POSTS:
        faults.append(FieldFault("posts", f"岗位为 1 至 {MOST_POSTS} 个 (a person has 1 to {MOST_POSTS} posts)"))
    for n, post in enumerate(posts):
        if post in held:
            continue
        if post.role not in ROLES:
            faults.append(FieldFault(f"posts.{n}.role", "没有这个角色 (there is no such role)"))
        if post.court not in tree.courts or post.court not in reach:
            faults.append(FieldFault(f"posts.{n}.court", _NO_COURT))
    if any(post.court not in reach for post in held - person.posts):
        faults.append(FieldFault("posts", "其中有您管辖范围外的岗位，不能去除 (a post outside of your reach stays)"))
    refused = powers_refused(tuple(posts))
    if refused:
        faults.append(FieldFault("posts", refused))
    return faults
