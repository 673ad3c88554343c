"""The policy of `wutong.broker_policy` in the words of EMQX 5: its configuration and its access list, as text.

The configuration is JSON, which is HOCON, so that it can be read without EMQX (5.7 or newer, for the attributes).
Nothing here was ever run by EMQX: it is in no registry that this project installs from, so only the form of both files
is checked.

EMQX takes account and client id from the certificate's name, as Mosquitto does. Court and room of it are attributes of
the client, which its access list puts into patterns: newer ones put no name with a slash there. It looks for revoked
certificates at an address that a certificate names, and ours name none: docs/security.md says what follows.
"""

from __future__ import annotations

import json

from server.tls.process_accounts import PROCESS_HEARS, process_accounts
from sync import topics
from sync.runtime.bounds.message_size import MAX_PACKET_BYTES
from sync.tls.names import CENTER
from wutong.broker_policy import (
    BROKER_FILES,
    MAX_CONNECTIONS,
    MAX_INFLIGHT_MESSAGES,
    MAX_QUEUED_MESSAGES,
)

CIPHERS = (
    "TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
_OWN_NAME = "${client_attrs.court}/${client_attrs.room}"
_ATTRIBUTES = [
    {"expression": f"nth({place}, tokens(cn, '/'))", "set_as_attr": name}
    for place, name in enumerate(("court", "room"), start=1)
]
"""Of `court/room`. The center's name has no second part, so no pattern is one of its own."""


def emqx_settings_text(listener: str, folder: str, rights: str) -> str:
    """A configuration: `listener` is an address and a port, `folder` the center's files, `rights` the access list."""
    nobody = {"default": {"enable": False, "bind": "127.0.0.1:0"}}
    settings = {
        "mqtt": {
            "max_packet_size": MAX_PACKET_BYTES,
            "max_qos_allowed": 1,
            "retain_available": False,
            "max_inflight": MAX_INFLIGHT_MESSAGES,
            "max_mqueue_len": MAX_QUEUED_MESSAGES,
            "peer_cert_as_username": "cn",
            "peer_cert_as_clientid": "cn",
            "client_attrs_init": _ATTRIBUTES,
        },
        "retainer": {"enable": False},
        "listeners": {
            "tcp": nobody,
            "ws": nobody,
            "wss": nobody,
            "ssl": {
                "default": {
                    "bind": listener,
                    "max_connections": MAX_CONNECTIONS,
                    "tcp_options": {"nodelay": True},
                    "ssl_options": {
                        "cacertfile": f"{folder}/{BROKER_FILES['cafile']}",
                        "certfile": f"{folder}/{BROKER_FILES['certfile']}",
                        "keyfile": f"{folder}/{BROKER_FILES['keyfile']}",
                        "verify": "verify_peer",
                        "fail_if_no_peer_cert": True,
                        "versions": ["tlsv1.3", "tlsv1.2"],
                        "ciphers": list(CIPHERS),
                    },
                }
            },
        },
        "authorization": {
            "no_match": "deny",
            "deny_action": "ignore",
            "sources": [{"type": "file", "enable": True, "path": rights}],
        },
    }
    return json.dumps(settings, indent=2) + "\n"


def emqx_rights_text(*, processes: int = 0) -> str:
    """The access list: the center, so many processes of it, what any room may do below its own name, and nothing else
    for anybody."""
    every, own = f"{topics.PREFIX}/+/+", topics.of_room(_OWN_NAME)
    lines = [f'{{allow, {{username, "{CENTER}"}}, subscribe, [{_filters(every, topics.ROOM_WRITES, exactly=True)}]}}.']
    lines.append(f'{{allow, {{username, "{CENTER}"}}, publish, [{_filters(every, topics.ROOM_READS)}]}}.')
    for account in process_accounts(CENTER, processes):
        # Not `eq`: a process asks for the topics of single rooms.
        lines.append(f'{{allow, {{username, "{account}"}}, subscribe, [{_filters(every, PROCESS_HEARS)}]}}.')
        lines.append(f'{{allow, {{username, "{account}"}}, publish, [{_filters(every, topics.ROOM_READS)}]}}.')
    lines.append(f"{{allow, all, publish, [{_filters(own, topics.ROOM_WRITES)}]}}.")
    lines.append(f"{{allow, all, subscribe, [{_filters(own, topics.ROOM_READS)}]}}.")
    lines.append("{deny, all}.")
    return "\n".join(lines) + "\n"


def _filters(base: str, names: tuple[str, ...], *, exactly: bool = False) -> str:
    """`exactly`: as they are subscribed to, wildcards and all; no name is put into such a one."""
    filters = [f'"{base}/{name}"' for name in names]
    return ", ".join(f"{{eq, {one}}}" if exactly else one for one in filters)
