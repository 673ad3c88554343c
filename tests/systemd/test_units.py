"""The units are accepted by systemd, notify and are watched, and are as confined as the checklist asks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sync.http.wire.connection import DoorLimits
from sync.runtime.process.order import PLACES
from tests.support.paths import UNITS

SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
SIGNER = "wutong-signer.service"
DAEMONS = [unit for unit in SERVICES if unit != "wutong-broker-reload.service"]
"""Those that run for ever; the other does one thing and ends."""
ROOM = ("wutong-recorder.service", "wutong-transcriber.service", "wutong-edge.service", "wutong-uplink.service")
INSTALLED = "/opt/wutong/.venv/bin/wutong"
WUTONG = Path(sys.executable).parent / "wutong"


def values(unit: str, section: str = "Service") -> dict[str, list[str]]:
    """The settings of one section; a repeated key has several values."""
    found: dict[str, list[str]] = {}
    here = ""
    for line in (UNITS / unit).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            here = line.strip("[]")
        elif here == section and "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found.setdefault(key, []).append(value)
    return found


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as on a machine where the command is there."""
    for path in UNITS.iterdir():
        if path.suffix in {".service", ".target", ".path"}:
            text = path.read_text(encoding="utf-8").replace(INSTALLED, str(WUTONG))
            (tmp_path / path.name).write_text(text, encoding="utf-8")
    return tmp_path


def test_every_service_of_the_room_and_the_center_has_a_unit() -> None:
    assert {*ROOM, SIGNER, "wutong-center.service"} <= set(SERVICES)


def test_a_gateway_is_started_as_any_process_but_for_its_role() -> None:
    (process,) = values("wutong-center@.service")["ExecStart"]
    assert values("wutong-center-gateway.conf")["ExecStart"] == ["", f"{process} --gateway"]


def test_systemd_accepts_every_unit(installed: Path) -> None:
    units = [str(path) for path in sorted(installed.iterdir())]
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", *units]
    environment = os.environ | {"SYSTEMD_UNIT_PATH": f"{installed}:"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if "wutong" in line]
    assert (done.returncode, complaints) == (0, [])


@pytest.mark.parametrize("unit", SERVICES)
def test_every_service_is_confined(unit: str) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(UNITS / unit)]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stderr
    assert float(found.group(1)) <= 2.0
    assert done.returncode == 0


@pytest.mark.parametrize("unit", DAEMONS)
def test_every_service_notifies_is_watched_and_comes_back(unit: str) -> None:
    service = values(unit)
    assert service["Type"] == ["notify"]
    assert int(service["WatchdogSec"][0]) > 0
    assert service["Restart"] == ["always"]
    assert values(unit, "Unit")["StartLimitIntervalSec"] == ["0"], "systemd would give up after some restarts"
    assert service["User"] == ["wutong-signer" if unit == SIGNER else "wutong"]
    assert service["Group"] == ["wutong"]
    assert service["KillMode"] == ["mixed"], "a worker would be told to stop before the service that keeps its end"


@pytest.mark.parametrize("unit", DAEMONS)
def test_every_service_runs_a_command_that_exists(unit: str) -> None:
    program, *words = values(unit)["ExecStart"][0].split()
    assert program == INSTALLED
    option_at = next(i for i, word in enumerate(words) if word.startswith("--"))
    done = subprocess.run([str(WUTONG), *words[:option_at], "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert words[option_at] in done.stdout


def test_nothing_can_end_a_recording_but_its_own_unit() -> None:
    unit = values("wutong-recorder.service", "Unit")
    assert not {"Requires", "BindsTo", "Requisite"} & set(unit)
    assert unit["PartOf"] == ["wutong-room.target"]
    target = values("wutong-room.target", "Unit")
    assert set(target["Wants"][0].split()) == {*ROOM, SIGNER}
    assert "Requires" not in target


UNITS_OF = {
    "recorder": ["wutong-recorder.service"],
    "broker": ["wutong-mosquitto.service.conf", "wutong-nats.service.conf"],
    "center": ["wutong-center.service", "wutong-center@.service"],
    "uplink": ["wutong-uplink.service"],
    "edge": ["wutong-edge.service"],
    "signer": [SIGNER],
    "transcriber": ["wutong-transcriber.service"],
    "speech-server": ["wutong-speech-server.service"],
}


def test_the_units_say_the_machine_s_order() -> None:
    assert list(UNITS_OF) == list(PLACES)
    assert {unit for units in UNITS_OF.values() for unit in units} >= set(DAEMONS)
    for service, place in PLACES.items():
        for unit in UNITS_OF[service]:
            said = {key: values(unit).get(key) for key in ("Nice", "CPUWeight", "IOWeight")}
            wanted = {"Nice": place.niceness, "CPUWeight": place.cpu_weight, "IOWeight": place.io_weight}
            assert said == {key: [str(value)] for key, value in wanted.items()}, unit
    recorder = values("wutong-recorder.service")
    assert (recorder["IOSchedulingClass"], recorder["IOSchedulingPriority"]) == (["best-effort"], ["0"])


def test_what_records_and_what_is_live_goes_before_the_screens_and_those_before_words() -> None:
    order = list(PLACES.values())
    assert [place.cpu_weight for place in order] == sorted((place.cpu_weight for place in order), reverse=True)
    assert [place.niceness for place in order] == sorted(place.niceness for place in order)
    names = list(PLACES)
    assert names.index("recorder") < names.index("broker") < names.index("uplink") < names.index("transcriber")
    ours = [PLACES[name] for name in names if name != "speech-server"]
    assert min(place.cpu_weight for place in ours) > 100  # what every other unit and every login gets
    seen = [PLACES[name] for name in names if name not in ("transcriber", "speech-server")]
    assert max(place.niceness for place in seen) < 0 < PLACES["transcriber"].niceness, "a browser has 0"


def test_a_recorder_that_died_is_started_again_at_once_and_without_end() -> None:
    recorder = values("wutong-recorder.service")
    assert (recorder["Restart"], recorder["RestartSec"]) == (["always"], ["250ms"])
    assert "StartLimitIntervalSec=0\n" in (UNITS / "wutong-recorder.service").read_text(encoding="utf-8")


def test_memory_is_taken_from_the_transcriber_first_and_from_the_recorder_last() -> None:
    oom = {unit: int(values(unit)["OOMScoreAdjust"][0]) for unit in ROOM}
    assert min(oom, key=oom.__getitem__) == "wutong-recorder.service"
    assert max(oom, key=oom.__getitem__) == "wutong-transcriber.service"


def test_what_browsers_and_rooms_reach_has_bounds_of_its_own() -> None:
    for unit in ("wutong-center.service", "wutong-edge.service"):
        service = values(unit)
        assert re.fullmatch(r"[1-4]G", service["MemoryMax"][0])
        assert service["OOMPolicy"] == ["continue"]
        assert int(service["LimitNOFILE"][0]) >= 4 * DoorLimits().in_all


def test_devices_and_network_are_where_they_are_needed_and_nowhere_else() -> None:
    recorder, transcriber = values("wutong-recorder.service"), values("wutong-transcriber.service")
    assert recorder["DeviceAllow"] == ["char-alsa rw", "char-video4linux rw"]
    assert recorder["IPAddressDeny"] == ["any"]
    assert transcriber["PrivateNetwork"] == ["yes"]
    assert transcriber["RestrictAddressFamilies"] == ["AF_UNIX"]
    for unit in set(SERVICES) - {"wutong-recorder.service"}:
        assert values(unit)["PrivateDevices"] == ["yes"]
        assert "DeviceAllow" not in values(unit)


def test_only_the_signer_reaches_the_devices_key_and_it_reaches_nothing_else() -> None:
    signer = values(SIGNER)
    assert (signer["StateDirectory"], signer["StateDirectoryMode"]) == (["wutong-signer"], ["0700"])
    assert signer["ReadWritePaths"] == ["/var/lib/wutong/run"]
    assert signer["PrivateNetwork"] == ["yes"]
    assert signer["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert all("--folder /var/lib/wutong-signer" in signer[key][0] for key in ("ExecStart", "ExecStartPre"))
    assert signer["ExecStartPre"][0].endswith(" --take-key")
    for unit in set(SERVICES) - {SIGNER}:
        assert "wutong-signer" not in values(unit).get("User", []) + values(unit).get("StateDirectory", [])
        assert "SupplementaryGroups" not in values(unit) or "wutong" not in values(unit)["SupplementaryGroups"][0]


def test_a_reader_of_foreign_files_may_take_its_own_rights_away() -> None:
    """systemd's own sets have these calls only from 253 on: without them the reader would be open, and silently."""
    for unit in ("wutong-edge.service", "wutong-center.service"):
        allowed = " ".join(values(unit)["SystemCallFilter"]).split()
        wanted = {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "seccomp", "setrlimit"}
        assert wanted <= set(allowed), unit


def test_secrets_are_credentials() -> None:
    """Those of the old way; by certificates there are none but the keys that each end makes for itself."""
    secrets = ["token:/etc/wutong/room.token", "mqtt:/etc/wutong/room.mqtt"]
    assert values("wutong-uplink-plain.conf")["LoadCredential"] == secrets
    assert values("wutong-center-plain.conf")["LoadCredential"] == ["mqtt:/etc/wutong/center.mqtt"]
    assert not any("LoadCredential" in values(unit) for unit in ("wutong-uplink.service", "wutong-center.service"))


def test_the_broker_reads_its_files_again_when_the_center_has_written_them() -> None:
    folder = values("wutong-broker-reload.path", "Path")["PathChanged"]
    assert values("wutong-center.service")["ReadWritePaths"] == folder
    assert f"crlfile {folder[0]}/crl.pem" in (UNITS / "wutong-mosquitto.conf").read_text(encoding="utf-8")


@pytest.mark.skipif(os.geteuid() != 0, reason="making accounts and giving files away takes root")
def test_the_account_and_the_folder_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    sysusers = ["systemd-sysusers", f"--root={tmp_path}", str(UNITS / "wutong.sysusers.conf")]
    subprocess.run(sysusers, check=True, capture_output=True)
    account = next(line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("wutong:"))
    assert account.endswith("/nologin")
    signer = next(
        line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("wutong-signer:")
    )
    assert signer.split(":")[2] != account.split(":")[2]
    assert signer.endswith("/nologin")
    (tmp_path / "etc/wutong").mkdir()
    token = tmp_path / "etc/wutong/room.token"
    token.write_text("x")
    with (tmp_path / "etc/group").open("a", encoding="utf-8") as groups:
        groups.write("mosquitto:x:990:\n")  # Debian's package makes it
    tmpfiles = ["systemd-tmpfiles", f"--root={tmp_path}", "--create", str(UNITS / "wutong.tmpfiles.conf")]
    subprocess.run(tmpfiles, check=True, capture_output=True)
    assert (tmp_path / "etc/wutong").stat().st_mode & 0o777 == 0o750
    assert token.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "var/lib/wutong").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "var/lib/wutong/run").stat().st_mode & 0o777 == 0o770
    broker = (tmp_path / "var/lib/wutong-broker").stat()
    assert (broker.st_mode & 0o7777, broker.st_gid) == (0o2750, 990)
