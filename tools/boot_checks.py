"""What is looked at on a machine that tools/boot.sh has booted: the units under a real systemd, one after the other.

Runs inside it, as root, by the installed Python and nothing of this tree. Prints each thing that holds; ends at the
first that does not, with the journal's last lines.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ADDRESS = "10.9.0.1"
ROOM = ("recorder", "signer", "transcriber", "edge", "uplink")
ALL = (*ROOM, "center")
CASE = {"case_no": "(2026)黑05民初123号", "cause": "民间借贷纠纷", "title": "甲诉乙", "parties": {"原告": "甲"}}
DATA, KEYS = Path("/var/lib/wutong"), Path("/var/lib/wutong/keys")
KEY = "/var/lib/wutong-signer/device.key"
CRL = Path("/var/lib/wutong-broker/crl.pem")
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj
trailer<</Root 1 0 R>>
"""


def run(*command: str, user: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    """A command, as root or as another account."""
    before = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
    done = subprocess.run([*before, *command], capture_output=True, text=True, timeout=90, cwd="/")
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.returncode}: {done.stderr.strip()[-600:]}")
    return done


def shown(unit: str, name: str) -> str:
    """A property of a unit."""
    return run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()


def main_pid(unit: str) -> int:
    return int(shown(unit, "MainPID"))


def until(what: str, condition: Callable[[], Any], within_s: float = 30.0) -> Any:
    """Wait for something that another process does."""
    end = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {within_s:.0f} s: {what}")
        time.sleep(0.1)
    return value


def active(*units: str) -> bool:
    said = run("systemctl", "is-active", *units, check=False).stdout.split()
    return said == ["active"] * len(units)


class BootedPage:
    """A page of this machine, as a program speaks to it that believes only `authority`."""

    def __init__(self, authority: Path) -> None:
        self._context = ssl.create_default_context(cafile=str(authority))
        self._cookie = ""

    def ask(self, method: str, path: str, body: Any = None, *, kind: str = "application/json") -> Any:
        """What is answered; an error is an `AssertionError`."""
        headers = {"X-Wutong": "1", "Content-Type": kind, "Cookie": self._cookie}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        line = http.client.HTTPSConnection(ADDRESS, 8810, context=self._context, timeout=30)
        try:
            line.request(method, path, data, headers)
            answer = line.getresponse()
            said = answer.read()
        finally:
            line.close()
        if (cookie := answer.getheader("Set-Cookie")) is not None:
            self._cookie = cookie.partition(";")[0]
        assert answer.status < 300, f"{method} {path}: {answer.status} {said[:300]!r}"
        return json.loads(said or b"null")


class BootedPanel(BootedPage):
    """The clerk's panel."""

    def __init__(self) -> None:
        super().__init__(next(KEYS.glob("authority*.pem"), KEYS / "none"))
        code = json.loads((DATA / "codes.json").read_text(encoding="utf-8"))["clerk"]
        self.ask("POST", "/api/session", {"code": code})

    def add(self, name: str, data: bytes) -> Any:
        """Hand in a file."""
        head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        return self.ask("POST", "/api/exhibits", head + data + b"\r\n--x--\r\n", kind="multipart/form-data; boundary=x")


def all_become_active() -> None:
    units = [*(f"wutong-{name}" for name in ALL), "mosquitto", "wutong-broker-reload.path"]
    until("all units are active", lambda: active(*units), 90)
    failed = run("systemctl", "list-units", "--failed", "--plain", "--no-legend").stdout
    assert "wutong" not in failed, failed
    assert "mosquitto" not in failed, failed
    for name in ALL:
        assert shown(f"wutong-{name}", "NRestarts") == "0", f"{name} was restarted"


def each_is_its_own_account_without_rights() -> None:
    for name in ALL:
        pid = main_pid(f"wutong-{name}")
        status = dict(
            line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
        )
        user = "wutong-signer" if name == "signer" else "wutong"
        assert run("stat", "--format=%U", f"/proc/{pid}").stdout.strip() == user
        assert (status["Seccomp"], status["NoNewPrivs"], int(status["CapEff"], 16)) == ("2", "1", 0), name
        alone = Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/1/ns/net").readlink()
        assert alone == (name in ("signer", "transcriber")), f"{name}: network of its own: {alone}"
    assert run("stat", "--format=%U", f"/proc/{main_pid('mosquitto')}").stdout.strip() == "mosquitto"


def no_other_account_reads_the_devices_key() -> None:
    for user in ("wutong", "mosquitto", "daemon"):
        assert "Permission denied" in run("cat", KEY, user=user, check=False).stderr
    for name in ("recorder", "transcriber", "edge", "uplink"):
        inside = ("nsenter", f"--target={main_pid(f'wutong-{name}')}", "--mount", "setpriv", "--reuid=wutong")
        assert run(*inside, "--regid=wutong", "--init-groups", "cat", KEY, check=False).returncode != 0
    ask = "import socket; socket.socket(socket.AF_UNIX).connect('/var/lib/wutong/run/signer.sock')"
    assert run(sys.executable, "-c", ask, user="wutong").returncode == 0
    for user in ("mosquitto", "daemon"):
        assert "PermissionError" in run("/usr/bin/python3", "-c", ask, user=user, check=False).stderr


def code_for_the_room() -> str:
    """What the center gives for it, without the center's address."""
    said = run("wutong", "enroll", "--config", "/etc/wutong/center.toml", "--room", "jianshan/3", user="wutong").stdout
    code = re.search(r"[A-Z0-9-]{20,}\.[A-Z0-9-]{20,}", said)
    assert code is not None, said
    return code.group()


def the_room_is_enrolled() -> None:
    run("wutong", "enroll", "--profile", "/etc/wutong/room.toml", "--code", code_for_the_room(), user="wutong")
    until("the room has a line to the broker", lambda: "accepted" in connects(), 60)


def connects() -> str:
    """What the broker says to the room's certificate."""
    try:
        context = ssl.create_default_context(cafile="/var/lib/wutong-broker/authority.pem")
        context.check_hostname = False
        context.load_cert_chain(KEYS / "tls.pem", KEYS / "tls.key")
        with (
            socket.create_connection((ADDRESS, 8883), timeout=10) as line,
            context.wrap_socket(line) as tls,
        ):
            # MQTT 3.1.1, a clean session: that it takes the room's place for a moment is what the account is for.
            tls.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01r")
            return "accepted" if tls.recv(4)[3:] == b"\x00" else "refused"
    except (OSError, ValueError) as error:
        return f"refused: {error}"


def a_hearing_is_recorded_and_exhibits_are_drawn() -> None:
    panel = until("the panel shows the certificate of the court", _panel, 60)
    unproven = [finding["id"] for finding in panel.ask("GET", "/api/state").get("selftest", {}).get("blockers", [])]
    opened = panel.ask("POST", "/api/hearing", CASE | {"procedure": "ordinary", "vocabulary": {}, "despite": unproven})
    folder = DATA / "hearings" / opened["id"]
    until("the camera's file grows", lambda: any(f.stat().st_size > 100_000 for f in folder.glob("bench/*")))
    exhibit = panel.add("page.pdf", PDF)
    assert exhibit["pages"] == 1
    panel.ask("PUT", "/api/presentation", {"exhibit": exhibit["id"], "page": 1})
    center = Path("/var/lib/wutong-center/objects")
    until("the exhibit is at the center", lambda: any(f.is_file() for f in center.rglob("*")), 60)


def a_service_that_hangs_is_ended_and_comes_back() -> None:
    pid = main_pid("wutong-uplink")
    os.kill(pid, signal.SIGSTOP)
    _comes_back("wutong-uplink", pid)


def _comes_back(unit: str, pid: int) -> None:
    until(f"{unit} is another process", lambda: main_pid(unit) not in (0, pid), 60)
    until(f"{unit} serves again", lambda: active(unit), 60)


def each_that_is_killed_comes_back() -> None:
    for name in ALL:
        pid = main_pid(f"wutong-{name}")
        os.kill(pid, signal.SIGKILL)
        _comes_back(f"wutong-{name}", pid)


def the_old_ways_secrets_are_seen_by_their_service_alone() -> None:
    folder = Path("/etc/systemd/system/wutong-uplink.service.d")
    folder.mkdir(exist_ok=True)
    units = Path(run(sys.executable, "-c", "import wutong; print(wutong.__path__[0])").stdout.strip()) / "systemd"
    place, seen = "/run/credentials/wutong-uplink.service/token", DATA / "seen"
    (folder / "plain.conf").write_bytes((units / "wutong-uplink-plain.conf").read_bytes())
    (folder / "seen.conf").write_text(f"[Service]\nExecStartPre=/bin/cp {place} {seen}\n", encoding="utf-8")
    for name in ("token", "mqtt"):
        secret = Path(f"/etc/wutong/room.{name}")
        secret.write_text("secret\n", encoding="utf-8")
        secret.chmod(0o600)
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", "wutong-uplink")
    for user in ("mosquitto", "daemon"):
        assert run("cat", place, user=user, check=False).returncode != 0
    assert seen.read_text(encoding="utf-8") == "secret\n"
    for left in (folder / "plain.conf", folder / "seen.conf", seen):
        left.unlink()
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", "wutong-uplink")
    for name in ("token", "mqtt"):
        Path(f"/etc/wutong/room.{name}").unlink()


def a_revocation_works_within_seconds_and_restarts_nothing() -> None:
    until("the room has a line", lambda: "accepted" in connects(), 60)
    broker, before = main_pid("mosquitto"), CRL.read_bytes()
    begun = time.monotonic()
    run("wutong", "enroll", "--config", "/etc/wutong/center.toml", "--revoke", "jianshan/3", user="wutong")
    assert CRL.read_bytes() != before
    until("the broker refuses the room", lambda: "accepted" not in connects(), 10)
    print(f"    refused {time.monotonic() - begun:.1f} s after the command began")
    assert main_pid("mosquitto") == broker
    assert shown("wutong-broker-reload", "Result") == "success"


def a_stop_while_it_records_ends_cleanly_and_a_start_goes_on() -> None:
    begun = time.monotonic()
    run("systemctl", "stop", "wutong-room.target", *(f"wutong-{name}" for name in ROOM))
    took = time.monotonic() - begun
    for name in ROOM:
        said = (shown(f"wutong-{name}", "ActiveState"), shown(f"wutong-{name}", "Result"))
        assert said == ("inactive", "success"), (name, said)
    assert took < 15, took
    print(f"    stopped in {took:.1f} s")
    left = [p for p in Path("/proc").glob("[0-9]*") if _of_the_room(p)]
    assert left == [], left
    run("systemctl", "start", "wutong-room.target")
    until("all serve again", lambda: active(*(f"wutong-{name}" for name in ROOM)), 60)
    panel = until("the panel answers", _panel)
    hearing = panel.ask("GET", "/api/state")["hearing"]
    assert hearing["state"] == "open"
    panel.ask("POST", "/api/hearing/close")


def _panel() -> BootedPanel | None:
    try:
        return BootedPanel()
    except OSError:
        return None


def _of_the_room(process: Path) -> bool:
    try:
        return any(f"wutong-{name}.service" in (process / "cgroup").read_text() for name in ROOM)
    except OSError:
        return False


def main() -> int:
    try:
        print("all become active, none was restarted", flush=True)
        all_become_active()
        for check in (
            each_is_its_own_account_without_rights,
            no_other_account_reads_the_devices_key,
            the_room_is_enrolled,
            a_hearing_is_recorded_and_exhibits_are_drawn,
            a_service_that_hangs_is_ended_and_comes_back,
            each_that_is_killed_comes_back,
            the_old_ways_secrets_are_seen_by_their_service_alone,
            a_revocation_works_within_seconds_and_restarts_nothing,
            a_stop_while_it_records_ends_cleanly_and_a_start_goes_on,
        ):
            print(check.__name__.replace("_", " "), flush=True)
            check()
    except (AssertionError, OSError, KeyError, subprocess.TimeoutExpired) as error:
        subprocess.run(["journalctl", "--no-pager", "--output=cat", "--lines=40"])
        print(f"FAILED: {type(error).__name__}: {error}", flush=True)
        return 1
    print("all of it holds", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
