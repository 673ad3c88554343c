"""Who may connect to a NATS broker and what each may do there, as the file that the center writes for it.

NATS takes the name of a certificate's own for the account and has no pattern that means "below its own name" and no
list of revoked certificates. So each good certificate of a room stands in the file with the topics of its room, the
center writes the file anew whenever one is handed out, taken away or has ended, and NATS, told to read its
configuration again, ends the lines of whoever stands there no more.

Certificates of before this file have no name of their own: their room is let in by its common name, as long as none of
its certificates was revoked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from server.tls.process_accounts import MOST_PROCESSES, PROCESS_HEARS, process_accounts
from sync import topics
from sync.tls.names import CENTER

NATS_USERS = "nats-users.conf"
"""The file's name in the folder of the broker."""
USERS_VARIABLE = "WUTONG_USERS"
"""What the file defines. NATS without any account lets everybody in, so its configuration names this: a file that does
not define it is an error there, and no broker without rules."""
_DELIVERIES = "$MQTT.sub.>"
"""Where NATS lays what a subscription of quality 1 gets. No topic leads there: it refuses whoever asks by name."""


def common_name_user(name: str) -> str:
    """How NATS calls who has this common name and nothing beside it."""
    return f"CN={name}"


def subject_of(topic: str) -> str:
    """A topic of ours as NATS spells it, wildcards too: our names have neither dots nor blanks."""
    return topic.replace("/", ".").replace("+", "*")


def nats_users_text(rooms: Mapping[str, str]) -> str:
    """The file: the center, all processes that it may have, and each of `rooms`: the name that a certificate has -> its
    `court/room`.

    The processes stand in it whether there are any or not, so that all processes of a center write the same file."""
    every = f"{topics.PREFIX}/+/+"
    lines = [_user(common_name_user(CENTER), every, writes=topics.ROOM_READS, reads=topics.ROOM_WRITES)]
    for account in process_accounts(CENTER, MOST_PROCESSES):
        lines.append(_user(common_name_user(account), every, writes=topics.ROOM_READS, reads=PROCESS_HEARS))
    for name, room in sorted(rooms.items()):
        lines.append(_user(name, topics.of_room(room), writes=topics.ROOM_WRITES, reads=topics.ROOM_READS))
    head = "# Written by the center for its broker; it is written again at any time."
    return f"{head}\n{USERS_VARIABLE}: [\n{''.join(lines)}]\n"


def _user(name: str, base: str, *, writes: Iterable[str], reads: Iterable[str]) -> str:
    user: dict[str, Any] = {
        "user": name,
        "allowed_connection_types": ["MQTT"],
        "permissions": {
            "publish": {"allow": [subject_of(f"{base}/{topic}") for topic in writes]},
            "subscribe": {"allow": [*(subject_of(f"{base}/{topic}") for topic in reads), _DELIVERIES]},
        },
    }
    return f"  {json.dumps(user)}\n"
