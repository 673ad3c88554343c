#!/usr/bin/env python3
"""Write the broker's example files in systemd/ from `wutong.broker_policy`.

.venv/bin/python tools/make_broker.py            # write the files
.venv/bin/python tools/make_broker.py --check    # say which are stale, and fail
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wutong.broker_policy import rights_text, settings_text

OUT = Path(__file__).resolve().parent.parent / "systemd"

_SETTINGS_HEAD = """\
# Written by tools/make_broker.py from wutong/broker_policy.py: change that, and run it again.
# /etc/mosquitto/conf.d/wutong.conf: the broker of a center. Each room may touch its own topics only, strangers nothing.
# Accounts: mosquitto_passwd /etc/mosquitto/wutong.passwords NAME; rights: wutong-mosquitto.acl. The broker is never the
# store of record: rooms keep what the center has not acknowledged, so nothing of it is lost with the broker.
# Rooms come over the court's own network. The rooms of this version speak plain MQTT: where that network is shared,
# lay it through WireGuard or IPsec, and let the listener stand on that address only. An account's name is its client
# id: each room, and each center, needs an account of its own.

"""
_RIGHTS_HEAD = """\
# Written by tools/make_broker.py from wutong/broker_policy.py: change that, and run it again.
# /etc/mosquitto/wutong.acl: the center, and one block a room: copy the last one for each further room. A room may
# write its own topics and read what is for it.
"""


def texts() -> dict[str, str]:
    """Each file's name and what it must be."""
    return {
        "wutong-mosquitto.conf": _SETTINGS_HEAD
        + settings_text("1883", "/etc/mosquitto/wutong.passwords", "/etc/mosquitto/wutong.acl"),
        "wutong-mosquitto.acl": _RIGHTS_HEAD + rights_text("center", {"jianshan/3": "room-jianshan-3"}),
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
