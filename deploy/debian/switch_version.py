#!/usr/bin/python3
"""wutong-switch-version: let the version that was unpacked last take over, and interrupt no hearing by it.

    wutong-switch-version           wait for the end of the hearing that is open here, then switch
    wutong-switch-version --now     do not wait: what is recorded has a gap of some seconds, which is declared
    wutong-switch-version --say     only say what would be waited for

Promises: while a hearing is open (a recess counts) every service and every worker that it starts is of the version that
the hearing began with; the room's edge, by which hearings are opened, is down when it is looked at for the last time.
Services that ran before run behind it; processes of a center follow one another. Needs Python alone, because it must
work with either version. Refused: a switch while it cannot be known whether a hearing is open, unless nothing records.
"""

from __future__ import annotations

import argparse
import fcntl
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOM = ("recorder", "signer", "uplink", "edge", "transcriber")
"""In the order in which they start."""
RESTARTED = ("wutong-center", "wutong-speech-server")
"""The others. Whoever sets a room up goes on with the version that it began with, and screens have none."""
OPEN = 3
"""What `wutong room idle` ends with while a hearing is open."""
LOOK_S = 1.0


class UnknownIdleError(Exception):
    """Whether a hearing is open cannot be known."""


class Machine:
    """What is installed here, and systemd."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._wutong = root / "usr/lib/wutong"
        self._profile = root / "etc/wutong/room.toml"
        self._dpkg = root / "var/lib/dpkg/lock-frontend"
        self._processes = root / "proc"

    @property
    def next(self) -> str:
        """The folder that is to take over, below `versions`; empty where there is none."""
        return self._target("next")

    @property
    def current(self) -> str:
        """The folder of the version that runs."""
        return self._target("current")

    def has_room(self) -> bool:
        """Whether this machine is a courtroom's."""
        return self._profile.exists()

    def idle(self, *, wait: bool = False) -> tuple[int, str]:
        """Ask the version that runs whether a hearing is open: its exit code and its words."""
        words = ["/usr/bin/wutong", "room", "idle", "--profile", str(self._profile), *(["--wait"] if wait else [])]
        return self.ask("setpriv", "--reuid=wutong", "--regid=wutong", "--init-groups", "--", *words)

    def ask(self, *command: str) -> tuple[int, str]:
        """The exit code of a command, and what it said."""
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")
        return done.returncode, done.stdout.strip()

    def systemctl(self, verb: str, *units: str) -> bool:
        """Whether systemd did it."""
        return self.ask("systemctl", verb, *units)[0] == 0

    def active(self, pattern: str) -> list[str]:
        """The services that run, by name."""
        listed = ("list-units", "--plain", "--no-legend", "--full", "--state=active,activating,reloading")
        return sorted(line.split()[0] for line in self.ask("systemctl", *listed, pattern)[1].splitlines() if line)

    def dpkg_runs(self) -> bool:
        """Whether packages are being installed: their units are not all there yet."""
        try:
            with self._dpkg.open("rb") as file:
                asked = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)
                return bool(struct.unpack("hhqqi", fcntl.fcntl(file, fcntl.F_GETLK, asked))[0] != fcntl.F_UNLCK)
        except OSError:
            return False

    def link(self) -> None:
        """Let `current` be what `next` is, in one step."""
        draft = self._wutong / "current.part"
        draft.unlink(missing_ok=True)
        draft.symlink_to(f"versions/{self.next}")
        draft.rename(self._wutong / "current")
        (self._wutong / "next").unlink()

    def sweep(self) -> list[str]:
        """Remove the versions that nobody runs; their names."""
        kept = {self.current, self.next}
        running = b"\0".join(self._command_lines())
        gone = []
        for folder in sorted((self._wutong / "versions").iterdir()):
            if folder.name not in kept and str(folder).encode() not in running:
                shutil.rmtree(folder, ignore_errors=True)
                gone.append(folder.name)
        return gone

    def _command_lines(self) -> Iterable[bytes]:
        for process in self._processes.glob("[0-9]*/cmdline"):
            try:
                yield process.read_bytes()
            except OSError:
                continue  # it has ended

    def _target(self, name: str) -> str:
        link = self._wutong / name
        return link.readlink().name if link.is_symlink() else ""


class Switch:
    """One switch from the version that runs to the next."""

    def __init__(self, machine: Machine, *, now: bool = False) -> None:
        self._machine = machine
        self._now = now

    def what_waits(self) -> str:
        """The words of what is waited for; empty where nothing is."""
        if self._now or not self._machine.has_room():
            return ""
        code, said = self._machine.idle()
        if code == 0:
            return ""
        if code == OPEN:
            return said
        if not self._machine.active("wutong-recorder.service"):
            return ""  # nobody records, and nobody can open a hearing
        raise UnknownIdleError(said[-300:])

    def run(self) -> None:
        """Wait, then switch; `UnknownIdleError` when nobody knows whether that may be."""
        machine = self._machine
        while machine.dpkg_runs():
            time.sleep(LOOK_S)
        if not machine.next:
            say("there is no version that waits")
            return
        before = machine.active("wutong-*.service")
        while True:
            while waits := self.what_waits():
                say(f"{waits}; {machine.next} takes over when it has ended, until then {machine.current} runs")
                machine.idle(wait=True)
            before = sorted({*before, *machine.active("wutong-*.service")})
            if "wutong-edge.service" not in before:
                break
            machine.systemctl("stop", "wutong-edge.service")  # from here on nobody opens a hearing
            try:
                if not self.what_waits():
                    break
            except UnknownIdleError:
                machine.systemctl("start", "wutong-edge.service")
                raise
            machine.systemctl("start", "wutong-edge.service")
        self._over(before)

    def _over(self, before: list[str]) -> None:
        machine = self._machine
        room = [unit for name in ROOM if (unit := f"wutong-{name}.service") in before]
        others = [unit for unit in before if unit.startswith(RESTARTED)]
        if room:
            machine.systemctl("stop", *room)
        old, new = machine.current, machine.next
        machine.link()
        machine.systemctl("daemon-reload")
        failed = [] if not room or machine.systemctl("start", *room) else room
        failed += [unit for unit in others if not machine.systemctl("restart", unit)]
        say(f"{new} has taken over from {old}")
        if failed:
            say(f"not all of these came back; they are tried again, and systemctl status says why: {' '.join(failed)}")
        if gone := machine.sweep():
            say(f"removed: {' '.join(gone)}")


def say(words: str) -> None:
    """A line for whoever looks, or for the journal."""
    print(f"wutong: {words}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--now", action="store_true", help="do not wait for the end of a hearing")
    parser.add_argument("--say", action="store_true", help="only say what would be waited for")
    chosen = parser.parse_args(arguments)
    switch = Switch(Machine(), now=chosen.now)
    try:
        if chosen.say:
            say(switch.what_waits() or "nothing is waited for")
        else:
            switch.run()
    except UnknownIdleError as unknown:
        say(f"whether a hearing is open cannot be known, so nothing is switched: {unknown}")
        say("when you know that none is: wutong-switch-version --now")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
