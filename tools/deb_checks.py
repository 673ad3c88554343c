"""What is looked at on a machine that tools/deb_check.sh has booted: the packages, from installation to purge.

    python3 -m tools.deb_checks installed | screens | upgraded | purged

Runs inside it, as root, by Debian's Python. Prints each thing that holds; ends at the first that does not, with the
journal's last lines.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.boot_checks import ADDRESS, CASE, DATA, ROOM, BootedPanel, active, main_pid, run, shown, until

CENTER_TOML = Path("/etc/wutong/center.toml")
ACL = Path("/etc/mosquitto/wutong.acl")
VERSIONS = Path("/usr/lib/wutong/versions")
OURS = "# changed by the court\n"
KIOSK = "/var/lib/wutong-kiosk"
ROOM_UNITS = [f"wutong-{name}" for name in ROOM]
TABLE = """
[[rooms]]
court = "jianshan"
room = "3"
court_name = "尖山区人民法院"
room_name = "第三法庭"
"""


def apt(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """apt-get, without a network and without questions."""
    command = ["apt-get", "-q", "-y", "-o", "Dpkg::Options::=--force-confold", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=_environment(), stdin=subprocess.DEVNULL
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {(done.stdout + done.stderr)[-1500:]}")
    return done


def _environment() -> dict[str, str]:
    return {"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def version_of(package: str) -> str:
    """The installed one; empty for none."""
    said = run("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", package, check=False).stdout
    status, _, version = said.partition(" ")
    return version if status == "installed" else ""


def folder_of(unit: str) -> str:
    """The folder of versions that a service runs from."""
    command = Path(f"/proc/{main_pid(unit)}/cmdline").read_text(encoding="utf-8").split("\0")[0]
    return Path(command).relative_to(VERSIONS).parts[0]


# ---- installed


def the_center_runs_by_itself() -> None:
    assert active("wutong-center", "mosquitto", "wutong-broker-reload.path")
    assert shown("wutong-center", "UnitFileState") == "enabled"
    assert Path("/var/lib/wutong-center/codes.json").is_file()
    assert CENTER_TOML.stat().st_mode & 0o777 == 0o640
    assert version_of("wutong-center").startswith("0.0.9")


def a_machine_without_a_profile_is_no_courtroom_and_fails_at_nothing() -> None:
    for unit in ROOM_UNITS:
        assert shown(unit, "ActiveState") == "inactive", unit
        assert shown(unit, "ConditionResult") == "no", unit
    failed = run("systemctl", "list-units", "--failed", "--plain", "--no-legend").stdout
    assert not [line for line in failed.splitlines() if "wutong" in line and "kiosk" not in line], failed


def it_serves_the_page_on_which_it_becomes_one_and_its_screens_are_told() -> None:
    address = Path("/run/wutong-setup/address")
    until("the setup page has an address", address.is_file, 60)
    assert active("wutong-setup")
    assert address.stat().st_mode & 0o777 == 0o600
    shown_there = Path("/run/wutong-kiosk/shown.json")
    said = address.read_text(encoding="ascii").strip()
    until("the screens lead there", lambda: said in shown_there.read_text(encoding="utf-8"), 30)


def the_center_can_ask_a_provider_a_directory_a_database_and_a_store() -> None:
    names = "authlib, bonsai, boto3, psycopg"
    run("/usr/lib/wutong/current/bin/python", "-c", f"import {names}", user="wutong")


def the_center_knows_the_room() -> None:
    with CENTER_TOML.open("a", encoding="utf-8") as file:
        file.write(TABLE)
    text = CENTER_TOML.read_text(encoding="utf-8")
    CENTER_TOML.write_text(text.replace("names = []", 'names = ["center.court.example"]', 1), encoding="utf-8")
    run("systemctl", "restart", "wutong-center")
    until("the center is active", lambda: active("wutong-center"), 60)


# ---- screens


def the_screens_show_the_room_and_come_back() -> None:
    run("systemctl", "stop", "wutong-kiosk", check=False)
    Path(KIOSK).mkdir(exist_ok=True)
    shutil.chown(KIOSK, "wutong-kiosk", "wutong-kiosk")
    run("systemctl", "stop", "wutong-edge")
    screen = _as_kiosk("Xvfb", ":99", "-screen", "0", "1280x800x24", "-nolisten", "tcp")
    until("the X server is there", lambda: Path("/tmp/.X11-unix/X99").exists())  # noqa: S108 - where X has it
    session = _as_kiosk("/usr/lib/wutong-kiosk/session")
    try:
        until("a browser waits with words", lambda: _browsers("waiting.html"), 30)
        run("systemctl", "start", "wutong-edge")
        until("the browser leads to the panel", lambda: _browsers("page.html"), 60)
        until("the panel has a line to the room", _lines, 60)
        time.sleep(3)
        assert _lines(), "it did not believe the room's certificate"
        [first] = _browsers("page.html")
        subprocess.run(["kill", "-KILL", first], check=True)
        until("another browser is there", lambda: set(_browsers("page.html")) - {first}, 60)
        until("it has a line to the room", _lines, 60)
        token = (DATA / "display-token").read_text(encoding="ascii").strip()
        assert not [p for p in Path("/proc").glob("[0-9]*") if token.encode() in _command_line(p)]
    finally:
        for process in (session, screen):
            process.terminate()
            process.wait(timeout=20)


def _as_kiosk(*command: str) -> subprocess.Popen[bytes]:
    account = ("setpriv", "--reuid=wutong-kiosk", "--regid=wutong-kiosk", "--init-groups")
    environment = {**_environment(), "DISPLAY": ":99", "HOME": KIOSK}
    log = Path("/root/screens.log").open("ab")  # noqa: SIM115 - it lives as long as the process
    return subprocess.Popen([*account, *command], env=environment, stdout=log, stderr=log)


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def _browsers(page: str) -> list[str]:
    """Of the browsers that were started for a page, the first process of each."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        line = _command_line(process)
        if b"chromium" in line.split(b"\0")[0] and page.encode() in line and b"--type=" not in line:
            found.append(process.name)
    return found


def _lines() -> str:
    said = run("ss", "--no-header", "--tcp", "--processes", "state", "established", "dst", f"{ADDRESS}:8810").stdout
    return said if "chrom" in said else ""


# ---- upgraded


def _panel() -> BootedPanel | None:
    try:
        return BootedPanel()
    except OSError:
        return None


def an_upgrade_in_a_hearing_interrupts_nothing() -> None:
    ACL.write_text(ACL.read_text(encoding="utf-8") + OURS, encoding="utf-8")
    CENTER_TOML.write_text(CENTER_TOML.read_text(encoding="utf-8") + OURS, encoding="utf-8")
    panel = until("the panel answers", _panel)
    state = panel.ask("GET", "/api/state")
    unproven = [finding["id"] for finding in state.get("selftest", {}).get("blockers", [])]
    opened = panel.ask("POST", "/api/hearing", CASE | {"procedure": "ordinary", "vocabulary": {}, "despite": unproven})
    folder = DATA / "hearings" / opened["id"]
    until("it is recorded", lambda: any(f.stat().st_size > 100_000 for f in folder.glob("bench/*")))
    recorder, old = main_pid("wutong-recorder"), folder_of("wutong-recorder")
    said = apt("install", *map(str, sorted(Path("/root/after").glob("*.deb")))).stdout
    assert f"hearing {opened['id']} is open" in said, said[-1500:]
    assert all(version_of(name).startswith("0.") and not version_of(name).startswith("0.0.9") for name in _names())
    time.sleep(8)
    assert active("wutong-switch-version"), "it waits"
    assert main_pid("wutong-recorder") == recorder
    assert {folder_of(unit) for unit in (*ROOM_UNITS, "wutong-center")} == {old}
    killed = main_pid("wutong-edge")
    subprocess.run(["kill", "-KILL", str(killed)], check=True)
    until("the edge is back", lambda: main_pid("wutong-edge") not in (0, killed) and active("wutong-edge"), 30)
    assert folder_of("wutong-edge") == old, "what comes back in a hearing is of its version"
    waits = run("journalctl", "--unit=wutong-switch-version", "--output=cat").stdout
    assert f"hearing {opened['id']} is open" in waits, waits
    Path("/root/hearing").write_text(opened["id"], encoding="ascii")


def nothing_is_removed_in_a_hearing() -> None:
    said = apt("remove", "wutong-room", check=False)
    assert said.returncode != 0
    assert "a hearing is open in this room; nothing is removed" in said.stdout + said.stderr
    assert active("wutong-recorder")
    apt("install", "--reinstall", *map(str, Path("/root/after").glob("wutong-room_*.deb")), check=False)


def the_new_version_takes_over_when_the_hearing_has_ended() -> None:
    old = folder_of("wutong-recorder")
    panel = until("the panel answers", _panel)
    panel.ask("POST", "/api/hearing/close")
    begun = time.monotonic()
    until("the new version has taken over", lambda: not active("wutong-switch-version"), 240)
    units = [*ROOM_UNITS, "wutong-center"]
    until("all are active", lambda: active(*units), 120)
    print(f"    taken over {time.monotonic() - begun:.1f} s after the end of the hearing")
    new = {folder_of(unit) for unit in units}
    assert len(new) == 1
    assert old not in new
    assert [path.name for path in VERSIONS.iterdir()] == [*new], "the old one is gone"
    assert not Path("/usr/lib/wutong/next").is_symlink()
    hearing = until("the panel answers", _panel).ask("GET", "/api/state")["hearing"]
    assert (hearing["id"], hearing["state"]) == (Path("/root/hearing").read_text(encoding="ascii"), "closed")


def what_the_court_changed_is_as_it_was() -> None:
    assert ACL.read_text(encoding="utf-8").endswith(OURS)
    assert CENTER_TOML.read_text(encoding="utf-8").endswith(OURS)


def an_upgrade_without_a_hearing_takes_over_at_once() -> None:
    apt("install", "--allow-downgrades", *map(str, sorted(Path("/root/bundle/repository").glob("wutong*_0.0.9+*.deb"))))
    until("the version before has taken over", lambda: not Path("/usr/lib/wutong/next").is_symlink(), 240)
    until("the switch has ended", lambda: not active("wutong-switch-version"), 240)
    until("all are active", lambda: active(*ROOM_UNITS, "wutong-center"), 120)
    assert folder_of("wutong-recorder").startswith("0.0.9")


# ---- purged


def a_purge_leaves_what_was_recorded() -> None:
    hearings = sorted(path.name for path in (DATA / "hearings").iterdir())
    assert hearings
    # As setup leaves them: the password of a camera, and the profile of before.
    folder = Path("/etc/wutong")
    (folder / "bench.password").write_text("x\n", encoding="ascii")
    (folder / "room.toml.before-20261201-090000").write_text(
        f'[[cameras]]\npassword_file = "{folder}/bench.password"\n', encoding="ascii"
    )
    said = apt("purge", *_names())
    words = said.stdout + said.stderr
    for place in ("/var/lib/wutong", "/var/lib/wutong-center"):
        assert f"{place} stays" in words, words[-2000:]
    assert sorted(path.name for path in (DATA / "hearings").iterdir()) == hearings
    assert any(path.stat().st_size > 100_000 for path in (DATA / "hearings").rglob("bench/*"))
    for kept in ("/var/lib/wutong-center/center.db", "/var/lib/wutong-center/keys/center.key"):
        assert Path(kept).is_file(), kept
    assert Path("/var/lib/wutong-signer/device.key").is_file()
    assert run("getent", "passwd", "wutong").returncode == 0, "files belong to it"
    assert not Path("/etc/wutong").exists(), [*Path("/etc/wutong").iterdir()]
    for gone in ("/usr/lib/wutong", "/usr/bin/wutong", ACL, KIOSK):
        assert not Path(gone).exists(), gone
    assert "wutong" not in run("systemctl", "list-units", "--all", "--plain", "--no-legend", "wutong-*.service").stdout
    left = [path for path in Path("/etc/systemd/system").rglob("*wutong*") if path.is_symlink()]
    assert left == [], left
    until("the broker is Debian's own again", lambda: active("mosquitto"), 30)


def _names() -> list[str]:
    return ["wutong-kiosk", "wutong-room", "wutong-center", "wutong"]


CHECKS: dict[str, tuple[Callable[[], Any], ...]] = {
    "installed": (
        the_center_runs_by_itself,
        a_machine_without_a_profile_is_no_courtroom_and_fails_at_nothing,
        it_serves_the_page_on_which_it_becomes_one_and_its_screens_are_told,
        the_center_can_ask_a_provider_a_directory_a_database_and_a_store,
        the_center_knows_the_room,
    ),
    "screens": (the_screens_show_the_room_and_come_back,),
    "upgraded": (
        an_upgrade_in_a_hearing_interrupts_nothing,
        nothing_is_removed_in_a_hearing,
        the_new_version_takes_over_when_the_hearing_has_ended,
        what_the_court_changed_is_as_it_was,
        an_upgrade_without_a_hearing_takes_over_at_once,
    ),
    "purged": (a_purge_leaves_what_was_recorded,),
}


def main(part: str) -> int:
    """Command line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    for check in CHECKS[part]:
        print(check.__name__.replace("_", " "), flush=True)
        try:
            check()
        except (AssertionError, OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
            subprocess.run(["journalctl", "--no-pager", "--lines=60", "--unit=wutong-*"])
            print(f"FAILED: {type(error).__name__}: {error}", flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
