"""What a center's broker lets anybody do, said once: its limits, and Mosquitto's settings and access list as text.

`wutong.nats_policy` and `wutong.emqx_policy` say the same limits and rights in the words of those. The demo writes
Mosquitto's for its own rooms, `tools/make_broker.py` the examples in systemd/ that an administrator copies.
An account's name is its client id, whatever the client says, so nobody can take another's connection; whoever comes
anew with an account takes over from the connection that the account had before, as a room that lost its line must.

Who connects shows a certificate of the court's authority, and its name in there, `court/room` or `center`, is the
account. The access list says once what any room may do below its own name, so neither it nor a list of passwords
changes when a room is added; one that is revoked is on the list of revoked certificates that the center writes. The old
way, a listener without TLS and an account with a password for each room, is `settings_text` and `rights_text`.
"""

from __future__ import annotations

from collections.abc import Mapping

from server.tls.process_accounts import PROCESS_HEARS, process_accounts
from sync import topics
from sync.runtime.bounds.message_size import MAX_PACKET_BYTES
from sync.tls.names import CENTER

MAX_CONNECTIONS = 6000
"""More than the rooms that a center may have."""
MAX_QUEUED_MESSAGES = 2000
MAX_QUEUED_BYTES = 64 * 1024 * 1024
"""Of what waits for one connection that does not read."""
MAX_INFLIGHT_MESSAGES = 100
MEMORY_BYTES = 256 * 1024 * 1024
SETTINGS = (
    "allow_anonymous false",
    f"max_packet_size {MAX_PACKET_BYTES}",
    f"max_queued_messages {MAX_QUEUED_MESSAGES}",
    f"max_queued_bytes {MAX_QUEUED_BYTES}",
    f"max_inflight_messages {MAX_INFLIGHT_MESSAGES}",
    "max_keepalive 120",
    f"memory_limit {MEMORY_BYTES}",
    "set_tcp_nodelay true",
    # Nothing durable lives here: the rooms' logs and the center's store are the record.
    "persistence false",
    "sys_interval 0",
    "log_type error",
    "log_type warning",
)
"""Of the whole broker. No message of the broker's own (`$SYS`) is made, so there is none that could be heard."""
FORGETFUL_SETTINGS = (
    "# Nobody retains anything, and whoever tries loses the line. Only rooms of before did: take this line out for as",
    "# long as there is a listener for them.",
    "retain_available false",
)
"""Of a broker that serves nobody in the old way."""
LISTENER_SETTINGS = (
    "use_username_as_clientid true",
    f"max_connections {MAX_CONNECTIONS}",
)
"""Of a listener; they follow it."""
TLS_SETTINGS = (
    "require_certificate true",
    "use_identity_as_username true",
    "tls_version tlsv1.2",
    "ciphers ECDHE+AESGCM:ECDHE+CHACHA20",
)
"""Of a listener that is reached over a network; version 1.2 is the least, 1.3 is spoken where both can."""
BROKER_FILES = {
    "cafile": "authority.pem",
    "certfile": "server.pem",
    "keyfile": "server.key",
    "crlfile": "crl.pem",
}
"""What the broker reads of the folder that the center writes (`server.tls.court`), by the name of its setting."""


def tls_settings_text(listener: str, folder: str, rights: str, *, more: tuple[str, ...] = ()) -> str:
    """A configuration by certificates: `listener` is a port and perhaps an address, `folder` the center's files."""
    lines = (
        *more,
        *SETTINGS,
        *FORGETFUL_SETTINGS,
        f"acl_file {rights}",
        "",
        f"listener {listener}",
        *LISTENER_SETTINGS,
        *TLS_SETTINGS,
        *(f"{setting} {folder}/{name}" for setting, name in BROKER_FILES.items()),
    )
    return "\n".join(lines) + "\n"


def certified_rights_text(rooms: Mapping[str, str] | None = None, *, processes: int = 0) -> str:
    """The access list by certificates. `rooms`: `court/room` to an account with a password, for the old way;
    `processes`: as in `rights_text`."""
    old = rights_text(CENTER, rooms or {}, processes=processes)
    base = topics.of_room("%u")
    lines = ["", *(f"pattern write {base}/{topic}" for topic in topics.ROOM_WRITES)]
    lines += [f"pattern read {base}/{topic}" for topic in topics.ROOM_READS]
    return old + "\n".join(lines) + "\n"


def settings_text(listener: str, passwords: str, rights: str, *, more: tuple[str, ...] = ()) -> str:
    """A configuration: `listener` is a port and perhaps an address, the others are paths of files."""
    lines = (
        *more,
        *SETTINGS,
        f"password_file {passwords}",
        f"acl_file {rights}",
        "",
        f"listener {listener}",
        *LISTENER_SETTINGS,
    )
    return "\n".join(lines) + "\n"


def rights_text(center: str, rooms: Mapping[str, str], *, processes: int = 0) -> str:
    """An access list: the center's account, those of its processes, where it may have several, and `court/room` to the
    account of each room."""
    lines = [f"user {center}"]
    lines += [f"topic read {topics.PREFIX}/+/+/{topic}" for topic in topics.ROOM_WRITES]
    lines += [f"topic write {topics.PREFIX}/+/+/{topic}" for topic in topics.ROOM_READS]
    for account in process_accounts(center, processes):
        lines += ["", f"user {account}"]
        hears, says = PROCESS_HEARS, topics.ROOM_READS
        both = [topic for topic in says if topic in hears]  # Mosquitto wants one line for a topic
        lines += [f"topic read {topics.PREFIX}/+/+/{topic}" for topic in hears if topic not in both]
        lines += [f"topic {'readwrite' if topic in both else 'write'} {topics.PREFIX}/+/+/{topic}" for topic in says]
    for address, account in rooms.items():
        base = topics.of_room(address)
        lines += ["", f"user {account}"]
        lines += [f"topic write {base}/{topic}" for topic in topics.ROOM_WRITES]
        lines += [f"topic read {base}/{topic}" for topic in topics.ROOM_READS]
    return "\n".join(lines) + "\n"
