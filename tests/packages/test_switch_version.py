"""A new version takes over when no hearing is open, and never before."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.debian.switch_version import OPEN, ROOM, Machine, Switch, UnknownIdleError

UNITS = [f"wutong-{name}.service" for name in ROOM]


class ToldMachine(Machine):
    """A machine whose systemd and whose room say what a test wants, and write down what they are told."""

    def __init__(self, root: Path, *, hearing: list[int], running: list[str]) -> None:
        super().__init__(root)
        self.answers = hearing
        self.running = running
        self.told: list[str] = []
        self.versions = root / "usr/lib/wutong"
        for name in ("old", "new", "older"):
            (self.versions / "versions" / name).mkdir(parents=True)
        (self.versions / "current").symlink_to("versions/old")
        (self.versions / "next").symlink_to("versions/new")
        (root / "etc/wutong").mkdir(parents=True)
        (root / "etc/wutong/room.toml").touch()
        (root / "proc/7").mkdir(parents=True)
        (root / "proc/7/cmdline").write_bytes(f"{self.versions}/versions/old/bin/python\0-m\0wutong".encode())

    def idle(self, *, wait: bool = False) -> tuple[int, str]:
        self.told.append("waits" if wait else "looks")
        code = self.answers[0] if wait or len(self.answers) == 1 else self.answers.pop(0)
        return code, "hearing h is open" if code == OPEN else "nobody knows" if code else "no hearing is open"

    def systemctl(self, verb: str, *units: str) -> bool:
        self.told.append(" ".join([verb, *(unit.removeprefix("wutong-").removesuffix(".service") for unit in units)]))
        return True

    def active(self, pattern: str) -> list[str]:
        return [unit for unit in self.running if pattern in (unit, "wutong-*.service")]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr("deploy.debian.switch_version.say", said.append)
    return said


def test_a_hearing_that_is_open_is_waited_for_and_nothing_is_stopped_meanwhile(
    tmp_path: Path, lines: list[str]
) -> None:
    machine = ToldMachine(tmp_path, hearing=[OPEN, 0], running=UNITS)
    Switch(machine).run()
    stopped = machine.told.index("stop edge")
    assert machine.told[:stopped] == ["looks", "waits", "looks"]
    assert "hearing h is open; new takes over when it has ended, until then old runs" in lines


def test_it_is_looked_at_again_when_nobody_can_open_a_hearing_any_more(tmp_path: Path, lines: list[str]) -> None:
    """The clerk opens one in the moment between the look and the stop: the edge comes back, and all goes on waiting."""
    machine = ToldMachine(tmp_path, hearing=[0, OPEN, OPEN, 0], running=UNITS)
    Switch(machine).run()
    assert machine.told[:6] == ["looks", "stop edge", "looks", "start edge", "looks", "waits"]
    assert machine.current == "new"


def test_what_ran_before_runs_with_the_new_version_and_nothing_else(tmp_path: Path, lines: list[str]) -> None:
    center = ["wutong-center@1.service", "wutong-center@2.service", "wutong-kiosk.service"]
    running = [
        "wutong-recorder.service",
        "wutong-edge.service",
        "wutong-switch-version.service",
        "wutong-setup.service",
        *center,
    ]
    machine = ToldMachine(tmp_path, hearing=[0], running=running)
    Switch(machine).run()
    assert machine.told[-5:] == [
        "stop recorder edge",
        "daemon-reload",
        "start recorder edge",
        "restart center@1",
        "restart center@2",
    ]
    assert (machine.current, machine.next) == ("new", "")
    assert "new has taken over from old" in lines


def test_a_version_that_somebody_runs_stays_and_the_others_go(tmp_path: Path, lines: list[str]) -> None:
    machine = ToldMachine(tmp_path, hearing=[0], running=UNITS)
    Switch(machine).run()
    assert sorted(path.name for path in (machine.versions / "versions").iterdir()) == ["new", "old"]
    assert "removed: older" in lines


def test_nothing_is_switched_when_nobody_knows_whether_a_hearing_is_open(tmp_path: Path, lines: list[str]) -> None:
    machine = ToldMachine(tmp_path, hearing=[1], running=UNITS)
    with pytest.raises(UnknownIdleError, match="nobody knows"):
        Switch(machine).run()
    assert (machine.current, machine.next) == ("old", "new")
    assert machine.told == ["looks"]


def test_a_room_that_never_ran_is_switched_though_its_profile_is_wrong(tmp_path: Path, lines: list[str]) -> None:
    machine = ToldMachine(tmp_path, hearing=[1], running=["wutong-center.service"])
    Switch(machine).run()
    assert machine.current == "new"


def test_who_says_so_does_not_wait(tmp_path: Path, lines: list[str]) -> None:
    machine = ToldMachine(tmp_path, hearing=[OPEN], running=UNITS)
    Switch(machine, now=True).run()
    assert machine.current == "new"
    assert "looks" not in machine.told


def test_without_a_version_that_waits_nothing_is_touched(tmp_path: Path, lines: list[str]) -> None:
    machine = ToldMachine(tmp_path, hearing=[0], running=UNITS)
    (machine.versions / "next").unlink()
    Switch(machine).run()
    assert machine.told == []
    assert lines == ["there is no version that waits"]
