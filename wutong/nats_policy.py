"""The policy of `wutong.broker_policy` in the words of NATS: what a node that speaks MQTT is told, as text.

Who may connect and what each may touch is no part of it: the center writes that (`server.tls.nats_users`), since NATS
knows an account by a certificate's own name and has neither patterns nor a list of revoked certificates.

NATS keeps messages of quality 1 in a store of its own (JetStream) until who subscribed has them, and clean sessions
leave nothing there. It has no setting by which nobody may retain a message, nor one that binds the client id to the
account: docs/security.md says what follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.tls.court import BROKER
from server.tls.nats_users import USERS_VARIABLE, common_name_user
from sync.runtime.bounds.message_size import MAX_PACKET_BYTES
from sync.tls.places import ListenPlace
from wutong.broker_policy import BROKER_FILES, MAX_CONNECTIONS, MAX_QUEUED_BYTES, MEMORY_BYTES

STORE_BYTES = 1024 * 1024 * 1024
"""Of JetStream on the disk. Nothing durable lives there; when it is full, events wait in the rooms."""
MOST_SUBSCRIPTIONS = 65_536
"""Of one connection. One of several processes of a center asks for up to nine topics of each of 5,000 rooms. A room
cannot have more than the topics that it may hear: whoever asks for another is refused."""
UNACKNOWLEDGED = 4096
"""Of one subscription: the center's hear all rooms."""
REPLICAS = 3
CIPHERS = tuple(
    f"TLS_ECDHE_{key}_WITH_{cipher}"
    for key in ("ECDSA", "RSA")
    for cipher in ("AES_256_GCM_SHA384", "AES_128_GCM_SHA256", "CHACHA20_POLY1305_SHA256")
)
"""Of version 1.2; those of 1.3 are all good ones."""

Settings = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class NatsCluster:
    """What nodes of one broker know of each other."""

    listen: ListenPlace
    """Where this node hears the others."""
    routes: Sequence[ListenPlace]
    """Where all of them listen."""
    name: str = "wutong"


@dataclass(frozen=True, slots=True)
class NatsNode:
    """One process. Paths are absolute, but for `users`: NATS reads it relative to the folder of its configuration."""

    name: str
    mqtt: ListenPlace
    own: ListenPlace
    """Of NATS's own protocol, which nobody of ours speaks; it cannot be without."""
    store: str
    files: str
    """The folder that the center writes for its broker."""
    users: str
    cluster: NatsCluster | None = None
    pid_file: str = ""


@dataclass(frozen=True, slots=True)
class _Variable:
    """What another file defines."""

    name: str


def nats_settings_text(node: NatsNode) -> str:
    """The configuration of one node."""
    tls: Settings = {
        "ca_file": f"{node.files}/{BROKER_FILES['cafile']}",
        "cert_file": f"{node.files}/{BROKER_FILES['certfile']}",
        "key_file": f"{node.files}/{BROKER_FILES['keyfile']}",
        # Who connects shows a certificate of the court's authority, and a name in it is the account.
        "verify_and_map": True,
        "min_version": "1.2",
        "cipher_suites": list(CIPHERS),
        "timeout": 5,
    }
    settings: dict[str, object] = {
        "include": node.users,
        "server_name": node.name,
        "listen": str(node.own),
        "max_payload": MAX_PACKET_BYTES,
        "max_connections": MAX_CONNECTIONS,
        "max_subscriptions": MOST_SUBSCRIPTIONS,
        "max_pending": MAX_QUEUED_BYTES,
        "write_deadline": "10s",
        "tls": tls,
        "jetstream": {
            "store_dir": node.store,
            "max_memory_store": MEMORY_BYTES,
            "max_file_store": STORE_BYTES,
        },
        "mqtt": {
            "listen": str(node.mqtt),
            "tls": tls,
            "max_ack_pending": UNACKNOWLEDGED,
            "reject_qos2_publish": True,
            "downgrade_qos2_subscribe": True,
            **({} if node.cluster is None else {"stream_replicas": REPLICAS}),
        },
        "authorization": {"timeout": 5, "users": _Variable(USERS_VARIABLE)},
    }
    if node.pid_file:
        settings["pid_file"] = node.pid_file
    if node.cluster is not None:
        settings["cluster"] = {
            "name": node.cluster.name,
            "listen": str(node.cluster.listen),
            "no_advertise": True,
            # Only the broker's own certificate opens this door: no room has such a name.
            "authorization": {"user": common_name_user(BROKER), "timeout": 5},
            "tls": tls,
            "routes": [f"nats-route://{place}" for place in node.cluster.routes],
        }
    return "".join(_lines(settings, ""))


def _lines(settings: Settings, margin: str) -> list[str]:
    lines: list[str] = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            lines += [f"{margin}{name} {{\n", *_lines(value, f"{margin}  "), f"{margin}}}\n"]
        elif name == "include":
            lines.append(f"{margin}include {_text(value)}\n")
        else:
            lines.append(f"{margin}{name}: {_text(value)}\n")
    return lines


def _text(value: object) -> str:
    if isinstance(value, _Variable):
        return f"${value.name}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(_text(one) for one in value)}]"
    assert isinstance(value, str)
    assert not set(value) & set('"\\\n'), "no path or name of ours needs to be escaped"
    return f'"{value}"'
