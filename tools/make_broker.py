#!/usr/bin/env python3
"""Write the broker's example files in systemd/ from `wutong.broker_policy`: Mosquitto's, and those of NATS and EMQX.

.venv/bin/python tools/make_broker.py            # write the files
.venv/bin/python tools/make_broker.py --check    # say which are stale, and fail
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from server.tls.nats_users import NATS_USERS
from sync.tls.places import ListenPlace
from wutong.broker_policy import certified_rights_text, tls_settings_text
from wutong.emqx_policy import emqx_rights_text, emqx_settings_text
from wutong.nats_policy import NatsCluster, NatsNode, nats_settings_text

PROCESSES = 8
"""Of a center, that may come to the broker beside the one that has no number."""
OUT = Path(__file__).resolve().parent.parent / "systemd"

_SETTINGS_HEAD = """\
# Written by tools/make_broker.py from wutong/broker_policy.py: change that, and run it again.
# /etc/mosquitto/conf.d/wutong.conf: the broker of a center. Each room may touch its own topics only, strangers nothing.
# Who connects shows a certificate of the court's authority; its name in there is its account. Neither this file nor the
# access list changes for a room, and nothing is restarted. The center writes /var/lib/wutong-broker, and
# wutong-broker-reload.path has the broker read it again. The broker is never the store of record: rooms keep what the
# center has not acknowledged, so nothing of it is lost with the broker.

"""
_RIGHTS_HEAD = """\
# Written by tools/make_broker.py from wutong/broker_policy.py: change that, and run it again.
# /etc/mosquitto/wutong.acl: the center, and what any room may do: write its own topics and read what is for it. %u is
# the name in its certificate, court/room.
"""
_NATS_HEAD = """\
# Written by tools/make_broker.py from wutong/nats_policy.py: change that, and run it again.
# /etc/nats/wutong.conf: NATS as the broker of a center ([mqtt] kind = "nats" there). Who may connect, and what each may
# touch, the center writes into nats-users.conf in /var/lib/wutong-broker; NATS is told to read it again by
# wutong-broker-reload.path. Nothing of it is the record: with its store nothing is lost.

"""
_NATS_NODE_HEAD = """\
# Written by tools/make_broker.py from wutong/nats_policy.py: change that, and run it again.
# /etc/nats/wutong.conf of the first of three machines: each has its own server_name, and the folder that the center
# writes, copied to it whenever it changes (docs/operations.md).

"""
_EMQX_HEAD = """\
# Written by tools/make_broker.py from wutong/emqx_policy.py: change that, and run it again.
# For the end of /etc/emqx/emqx.conf, EMQX 5.7 or newer ([mqtt] kind = "emqx" of the center). No EMQX has ever read it
# here: try it before you trust it, above all that a room cannot touch the topics of another.

"""
_EMQX_RIGHTS_HEAD = """\
%% Written by tools/make_broker.py from wutong/emqx_policy.py: change that, and run it again.
%% /etc/emqx/wutong-acl.conf: the center, and what any room may do. Court and room are of the name in its certificate.
"""
_STORE = "/var/lib/wutong-nats"
_FILES = "/var/lib/wutong-broker"
_ETC = "/etc/nats"

_CLUSTER = NatsCluster(
    listen=ListenPlace("0.0.0.0", 6222),  # noqa: S104
    routes=[ListenPlace(f"broker{number}.court.example", 6222) for number in (1, 2, 3)],
)


def _nats_node(cluster: NatsCluster | None = None) -> NatsNode:
    return NatsNode(
        name="broker1",
        mqtt=ListenPlace("0.0.0.0", 8883),  # noqa: S104
        own=ListenPlace("127.0.0.1", 4222),
        store=_STORE,
        files=_FILES,
        users=os.path.relpath(f"{_FILES}/{NATS_USERS}", _ETC),
        cluster=cluster,
    )


def texts() -> dict[str, str]:
    """Each file's name and what it must be."""
    return {
        "wutong-mosquitto.conf": _SETTINGS_HEAD
        + tls_settings_text("8883", "/var/lib/wutong-broker", "/etc/mosquitto/wutong.acl"),
        "wutong-mosquitto.acl": _RIGHTS_HEAD + certified_rights_text(processes=PROCESSES),
        "wutong-nats.conf": _NATS_HEAD + nats_settings_text(_nats_node()),
        "wutong-nats-cluster.conf": _NATS_NODE_HEAD + nats_settings_text(_nats_node(_CLUSTER)),
        "wutong-emqx.conf": _EMQX_HEAD + emqx_settings_text("0.0.0.0:8883", _FILES, "/etc/emqx/wutong-acl.conf"),
        "wutong-emqx-acl.conf": _EMQX_RIGHTS_HEAD + emqx_rights_text(processes=PROCESSES),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the broker's example files.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is stale")
    check = parser.parse_args().check
    stale = []
    for name, text in texts().items():
        path = OUT / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text, encoding="utf-8")
    print(f"{'stale' if check else 'written'}: {', '.join(stale) or 'none'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
