"""A booted machine becomes a courtroom by its page alone: the units under a real systemd, and nobody edits a file.

    python3 -m tools.setup_checks FILE

Runs inside it, as root, before there is a profile; the devices are simulated, all else is as a court has it. In the end
the machine gets the profile FILE, for the checks behind these.
"""

from __future__ import annotations

import grp
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.boot_checks import ROOM, BootedPage, BootedPanel, active, code_for_the_room, connects, run, shown, until

ADDRESS = Path("/run/wutong-setup/address")
PROFILE = Path("/etc/wutong/room.toml")
DROP_IN = Path("/run/systemd/system/wutong-setup.service.d/devices.conf")
UNITS = [f"wutong-{name}" for name in ROOM]
CENTER = "https://center.court.example:8800"
PATIENCE_S = 150.0


def a_machine_without_a_profile_serves_the_page_and_no_room() -> None:
    command = shown("wutong-setup", "ExecStart").split("argv[]=", 1)[1].split(" ;", 1)[0]
    DROP_IN.parent.mkdir(parents=True, exist_ok=True)
    DROP_IN.write_text(f"[Service]\nExecStart=\nExecStart={shlex.join([*command.split(), '--simulated'])}\n", "utf-8")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", "wutong-setup")
    until("the setup page has an address", ADDRESS.is_file, 60)
    assert ADDRESS.stat().st_mode & 0o777 == 0o600
    for unit in UNITS:
        assert shown(unit, "ActiveState") == "inactive", unit


def the_page_makes_it_a_courtroom() -> None:
    page = BootedPage(ADDRESS.with_name("authority.pem"))
    code = ADDRESS.read_text(encoding="ascii").strip().partition("#")[2]
    page.ask("POST", "/api/setup/session", {"code": code})
    page.ask("POST", "/api/setup/center", {"carried": code_for_the_room(), "url": CENTER})
    found = until("devices were looked for", lambda: _searched(page), 60)
    assert (found["offer"]["court"], found["offer"]["room"]) == ("jianshan", "3")
    assert found["command"] == "", "systemd starts the services, and nobody types"
    [microphones] = [one for one in found["microphones"] if one["driver"] == "simulated"]
    cameras = [{"candidate": one["id"], "name": f"机位{n}"} for n, one in enumerate(found["cameras"], 1)]
    seats = [{"role": role, "channel": channel} for channel, role in enumerate(("审判长", "原告", "被告", "书记员"))]
    chosen = {"name": microphones["name"], "channels": microphones["channels"]}
    page.ask("POST", "/api/setup/profile", {"cameras": cameras, "microphones": chosen, "seats": seats})
    ended = until("the room is proven", lambda: _ended(page), PATIENCE_S)
    assert ended["state"] == "done", ended["steps"]
    page.ask("POST", "/api/setup/finish", {})


def _searched(page: BootedPage) -> Any:
    said = page.ask("GET", "/api/setup")
    return said if said["searched"] and said["cameras"] else None


def _ended(page: BootedPage) -> Any:
    said = page.ask("GET", "/api/setup")
    return said if said["state"] in ("done", "failed") else None


def _panel() -> BootedPanel | None:
    try:
        return BootedPanel()
    except OSError:
        return None


def systemd_runs_what_it_started_and_the_page_is_gone() -> None:
    until("the room's services are active", lambda: active(*UNITS, "wutong-room.target"), 60)
    assert shown("wutong-room.target", "UnitFileState") == "enabled"
    until("the setup page has ended", lambda: shown("wutong-setup", "ActiveState") == "inactive", 60)
    assert not ADDRESS.exists()
    assert (PROFILE.stat().st_uid, PROFILE.stat().st_gid) == (0, grp.getgrnam("wutong").gr_gid)
    assert PROFILE.stat().st_mode & 0o777 == 0o640
    until("the panel has the port", _panel, 60)
    until("the broker takes the room", lambda: "accepted" in connects(), 60)


def it_takes_the_profile_of_the_other_checks(file: Path) -> None:
    run("systemctl", "stop", "wutong-room.target", *UNITS)
    DROP_IN.unlink()
    run("systemctl", "daemon-reload")
    shutil.copyfile(file, PROFILE)
    run("systemctl", "start", "wutong-room.target")
    until("the room's services are active", lambda: active(*UNITS), 60)
    # Starts that had to wait for one another, and the switch of profiles, count as restarts of nothing.
    for unit in (*UNITS, "wutong-center", "mosquitto"):
        run("systemctl", "reset-failed", unit, check=False)


def main(file: str) -> int:
    """Command line."""
    checks = (
        a_machine_without_a_profile_serves_the_page_and_no_room,
        the_page_makes_it_a_courtroom,
        systemd_runs_what_it_started_and_the_page_is_gone,
    )
    try:
        for check in checks:
            print(check.__name__.replace("_", " "), flush=True)
            check()
        it_takes_the_profile_of_the_other_checks(Path(file))
    except (AssertionError, OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
        subprocess.run(["journalctl", "--no-pager", "--lines=60", "--unit=wutong-*"])
        print(f"FAILED: {type(error).__name__}: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
