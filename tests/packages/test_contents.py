"""What the Debian packages hold: every unit once, rights, conffiles, and a configuration that starts."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from pathlib import Path

import pytest

from deploy.kiosk import kiosk
from server.config import load_config
from tests.support.paths import ROOT, UNITS
from tools.deb_contents import COMMAND, FROM_WHEEL, PYTHONS, SUFFIXES, DebPackage, packages, project_version
from tools.make_debs import build_id, close, control, lay_out, settle
from wutong import room_commands
from wutong.setup import service as setup_service

VERSION = "0.1.0+deb12"
ALL = packages("bookworm", VERSION)
BY_NAME = {package.name: package for package in ALL}
SCRIPTS = sorted(p for p in (ROOT / "deploy/debian").iterdir() if p.suffix in (".postinst", ".prerm", ".postrm"))
RUN = {
    "usr/bin/wutong",
    "usr/sbin/wutong-switch-version",
    "usr/lib/wutong-kiosk/kiosk",
    "usr/lib/wutong-kiosk/session",
}


def _content(package: DebPackage, target: str) -> str:
    [placed] = [placed for placed in package.files if placed.target == target]
    return placed.content().decode()


def test_each_file_of_systemd_is_in_a_package_and_no_two_packages_have_one_path() -> None:
    sources = {placed.source for package in ALL for placed in package.files}
    assert {f"systemd/{path.name}" for path in UNITS.iterdir()} - sources == set()
    targets = Counter(placed.target for package in ALL for placed in package.files)
    assert [target for target, count in targets.items() if count > 1] == []


def test_each_unit_lies_where_systemd_looks_and_calls_the_installed_command() -> None:
    for path in [*UNITS.glob("*.service"), *UNITS.glob("*.target"), *UNITS.glob("*.path")]:
        placed = [p for package in ALL for p in package.files if p.source == f"systemd/{path.name}"]
        assert [p.target for p in placed] == [f"usr/lib/systemd/system/{path.name}"]
        text = placed[0].content().decode()
        assert FROM_WHEEL not in text
        assert "WUTONG_MODELS" not in text, "the model is found by the command itself"
        assert ("ExecStart=" not in text) or (COMMAND in text) or path.name.startswith("wutong-broker-reload")


def test_the_setup_of_a_machine_without_a_profile_asks_for_what_the_command_has() -> None:
    text = _content(BY_NAME["wutong-room"], "usr/lib/systemd/system/wutong-setup.service")
    assert "\nConditionPathExists=!/etc/wutong/room.toml\n" in text
    [command] = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    assert command == f"ExecStart={COMMAND} room setup --code-file {kiosk.SETUP}"
    assert "--code-file" in inspect.getsource(room_commands.setup)
    assert setup_service.AUTHORITY == "authority.pem", "the kiosk looks for it beside the address"


def test_nothing_is_executable_but_programs_and_nothing_is_writable_by_others() -> None:
    placed = [one for package in ALL for one in package.files]
    assert {one.target for one in placed if one.mode != 0o644} == RUN
    assert {one.mode for one in placed if one.target in RUN} == {0o755}


def test_configuration_is_never_overwritten() -> None:
    for package in ALL:
        under_etc = {f"/{placed.target}" for placed in package.files if placed.target.startswith("etc/")}
        assert set(package.conffiles) == under_etc
    every = {name for package in ALL for name in package.conffiles}
    assert not {"/etc/wutong/room.toml", "/etc/wutong/center.toml"} & every, "made once, and then the court's"
    script = (ROOT / "deploy/debian/wutong-center.postinst").read_text(encoding="utf-8")
    assert "if [ ! -e /etc/wutong/center.toml ]; then" in script


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_deletes_a_record_a_key_or_an_account(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    deleted = re.findall(r"^\s*(?:rm|rmdir|find|userdel|deluser|delgroup)\b.*$", text, re.MULTILINE)
    may = ("/usr/lib/wutong/", "versions/", " next", "/etc/wutong", "/usr/lib/wutong ", "/var/lib/wutong-kiosk")
    assert [line for line in deleted if not any(place in line for place in may)] == []
    assert [line for line in deleted if re.search(r"/var/lib/(?!wutong-kiosk\b)", line)] == []
    assert "userdel" not in text
    assert text.splitlines()[0] == "#!/bin/sh"
    assert "\nset -e\n" in text


@pytest.mark.parametrize("name", ["wutong", "wutong-room", "wutong-center"])
def test_a_purge_says_in_words_that_the_record_stays(name: str) -> None:
    text = (ROOT / f"deploy/debian/{name}.postrm").read_text(encoding="utf-8")
    assert "never deleted by a package" in text[text.index('"$1" = purge') :]


def test_the_packages_of_one_version_belong_together() -> None:
    assert project_version() in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for release, suffix in SUFFIXES.items():
        for package in packages(release, f"1.2+{suffix}"):
            if package.name in ("wutong-room", "wutong-center"):
                assert f"wutong (= 1.2+{suffix})" in package.depends
    for release, (major, minor) in PYTHONS.items():
        [program] = [package for package in packages(release, "1") if package.name == "wutong"]
        assert {f"python3 (>= {major}.{minor})", f"python3 (<< {major}.{minor + 1})"} <= set(program.depends)


def test_the_first_configuration_of_a_center_starts_with_no_room(tmp_path: Path) -> None:
    file = tmp_path / "center.toml"
    file.write_text(_content(BY_NAME["wutong-center"], "usr/share/wutong-center/center.toml"), encoding="utf-8")
    config = load_config(file)
    assert config.rooms == []
    assert list(config.tls.names) == []
    assert (config.mqtt.port, str(config.storage.data)) == (8883, "/var/lib/wutong-center")


def test_the_folder_for_the_broker_is_made_where_there_is_a_broker() -> None:
    common = _content(BY_NAME["wutong"], "usr/lib/tmpfiles.d/wutong.conf")
    center = _content(BY_NAME["wutong-center"], "usr/lib/tmpfiles.d/wutong.broker.conf")
    assert "mosquitto" not in common
    assert center.splitlines()[-1] == "d /var/lib/wutong-broker 2750 wutong mosquitto -"
    everywhere = (UNITS / "wutong.tmpfiles.conf").read_text(encoding="utf-8").splitlines()
    lines = [line for line in everywhere if not line.startswith("#")]
    assert sorted([*common.splitlines(), *center.splitlines()]) == sorted(
        [*lines, *(line for line in everywhere if line.startswith("#"))]
    )
    assert "wutong-nats.conf" < "wutong.broker.conf", "the name that comes first counts"


def test_a_laid_out_package_is_what_dpkg_wants(tmp_path: Path) -> None:
    package = BY_NAME["wutong-center"]
    lay_out(package, tmp_path, VERSION)
    settle(tmp_path)
    close(package, tmp_path, VERSION)
    said = (tmp_path / "DEBIAN/control").read_text(encoding="utf-8")
    assert f"\nDepends: wutong (= {VERSION}), mosquitto" in said
    assert all(line.startswith(" ") for line in said.split("Description: ")[1].splitlines()[1:])
    conffiles = (tmp_path / "DEBIAN/conffiles").read_text(encoding="utf-8").splitlines()
    assert conffiles == ["/etc/mosquitto/conf.d/wutong.conf", "/etc/mosquitto/wutong.acl"]
    assert all((tmp_path / name.lstrip("/")).is_file() for name in conffiles)
    for script in ("postinst", "prerm", "postrm"):
        assert (tmp_path / "DEBIAN" / script).stat().st_mode & 0o777 == 0o755
    sums = (tmp_path / "DEBIAN/md5sums").read_text(encoding="utf-8").splitlines()
    assert len(sums) == len([p for p in tmp_path.rglob("*") if p.is_file() and "DEBIAN" not in p.parts])
    assert "Installed-Size: 12\n" in control(package, VERSION, 12)


def test_versions_are_told_apart_by_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1\n", encoding="utf-8")
    first = build_id("0.1.0", tmp_path)
    assert first == build_id("0.1.0", tmp_path)
    assert build_id("0.1.1", tmp_path).startswith("0.1.1-")
    (tmp_path / "a.py").write_text("2\n", encoding="utf-8")
    assert build_id("0.1.0", tmp_path) != first
