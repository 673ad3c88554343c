#!/usr/bin/env python3
"""Write the broker's example files in systemd/ from `wutong.broker_policy`.

.venv/bin/python tools/make_broker.py            # write the files
.venv/bin/python tools/make_broker.py --check    # say which are stale, and fail
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wutong.broker_policy import certified_rights_text, tls_settings_text

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


def texts() -> dict[str, str]:
    """Each file's name and what it must be."""
    return {
        "wutong-mosquitto.conf": _SETTINGS_HEAD
        + tls_settings_text("8883", "/var/lib/wutong-broker", "/etc/mosquitto/wutong.acl"),
        "wutong-mosquitto.acl": _RIGHTS_HEAD + certified_rights_text(processes=PROCESSES),
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
