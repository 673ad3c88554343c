"""What is in which Debian package: each file by where it comes from, where it goes and its mode.

Promises: one place says it, so that the tests can look whether a unit is in no package or in two. Paths of sources are
those of this tree. What is made of a file of the tree (a unit's command, a center's first configuration) is made here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNITS = "usr/lib/systemd/system"
FROM_WHEEL, COMMAND = "/opt/wutong/.venv/bin/wutong", "/usr/bin/wutong"
PYTHONS = {"bookworm": (3, 11), "trixie": (3, 13)}
"""Debian's own Python of each release that packages are built for."""
LDAP = {"bookworm": "libldap-2.5-0", "trixie": "libldap2"}
"""The library by which a center asks a court's directory."""
SUFFIXES = {"bookworm": "deb12", "trixie": "deb13"}
FONTS = ("fonts-noto-cjk", "fonts-noto-core", "fonts-babelstone-han", "fonts-hanazono", "fonts-unifont")
WHEELS = "The wheels below /usr/lib/wutong are laid down as published, by their pinned hashes."
OF_WHEELS = (
    "embedded-library *",
    "unstripped-binary-or-object *",
    "hardening-no-pie *",
    "library-not-linked-against-libc *",
    "national-encoding *",
    "shared-library-lacks-prerequisites *",
    "unusual-interpreter *",
)
PYTHON = {
    "absolute-symlink-in-top-level-folder *": "A version is laid elsewhere as it is, and finds Python from there.",
}
SYSTEMCTL = {
    "maintainer-script-calls-systemctl *": "Processes of a center are stopped by a pattern; words to people name it.",
}
TARGET = {
    "systemd-service-file-refers-to-unusual-wantedby-target *": "The services of a courtroom start and stop together.",
}
MAINTAINER = "Wutong maintainers <maintainers@wutong.invalid>"


def unit(text: str) -> str:
    """A unit as it is in a package: it calls the installed command, which finds the model by itself."""
    return text.replace(FROM_WHEEL, COMMAND).replace("Environment=WUTONG_MODELS=/var/cache/wutong/models\n", "")


def common_folders(text: str) -> str:
    """The folders of every machine: the line for the broker's group would be refused where there is none."""
    return re.sub(r"# At a center: written by it.*\nd /var/lib/wutong-broker .*\n", "", text)


def broker_folder(text: str) -> str:
    """The line that only a center has. Its file's name comes behind that of NATS, so that NATS's counts."""
    found = re.search(r"# At a center: written by it.*\nd /var/lib/wutong-broker .*\n", text)
    assert found is not None, "wutong.tmpfiles.conf has no line for the broker's folder"
    return found.group()


def first_configuration(text: str) -> str:
    """A center's configuration that starts on any machine: no room yet, and no name but the machine's own."""
    head = re.sub(r"(?:#[^\n]*\n)?\[\[rooms\]\]\n.*?(?=\n\n|\Z)", "", text, flags=re.DOTALL).rstrip() + "\n"
    named = head.replace('names = ["center.court.example"]', "names = []")
    assert named != head, "systemd/center.example.toml names no center any more"
    return named.replace(
        "# Copy it to /etc/wutong/center.toml and change it; docs/operations.md says how a room is added.\n", ""
    )


@dataclass(frozen=True)
class Placed:
    """A file of the tree in a package."""

    source: str
    target: str
    mode: int = 0o644
    made: Callable[[str], str] | None = None

    def content(self, root: Path = ROOT) -> bytes:
        """Its bytes there."""
        data = (root / self.source).read_bytes()
        return data if self.made is None else self.made(data.decode("utf-8")).encode()


@dataclass(frozen=True)
class DebPackage:
    """One package; what belongs to the Python packages and to the model is added by who builds it."""

    name: str
    section: str
    summary: str
    text: str
    depends: tuple[str, ...]
    files: tuple[Placed, ...] = ()
    relations: Mapping[str, str] = field(default_factory=dict)
    architecture: str = "amd64"
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Complaints of lintian that stay, and why."""

    @property
    def scripts(self) -> list[str]:
        """The maintainer scripts that it has."""
        names = ("preinst", "postinst", "prerm", "postrm")
        return [name for name in names if (ROOT / f"deploy/debian/{self.name}.{name}").exists()]

    @property
    def conffiles(self) -> list[str]:
        """What dpkg asks about before it overwrites it."""
        return [f"/{placed.target}" for placed in self.files if placed.target.startswith("etc/")]


def _units(*names: str) -> tuple[Placed, ...]:
    return tuple(Placed(f"systemd/{name}", f"{UNITS}/{name}", made=unit) for name in names)


def _examples(package: str, *sources: str) -> tuple[Placed, ...]:
    return tuple(
        Placed(
            source,
            f"usr/share/doc/{package}/examples/{source.replace('hardware/profiles/', 'room.').rpartition('/')[2]}",
            made=unit,
        )
        for source in sources
    )


def project_version(root: Path = ROOT) -> str:
    """The version of the tree."""
    version: str = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return version


def packages(release: str, version: str) -> list[DebPackage]:
    """All packages of a release of Debian, in the order in which they need each other."""
    major, minor = PYTHONS[release]
    same = f"(= {version})"
    return [
        DebPackage(
            "wutong",
            "video",
            "smart courtroom: the program",
            "The command wutong with all that it needs of Python, in tested versions.\n"
            "An upgrade lays the new version beside the one that runs; it takes over\n"
            "when no hearing is open.",
            (
                f"python3 (>= {major}.{minor})",
                f"python3 (<< {major}.{minor + 1})",
                "libc6 (>= 2.36)",
                "libportaudio2",
                "ffmpeg",
                "fontconfig",
                "sqlite3",
                "systemd",
                *FONTS,
            ),
            (
                Placed("deploy/debian/wutong.launcher", "usr/bin/wutong", 0o755),
                Placed("deploy/debian/switch_version.py", "usr/sbin/wutong-switch-version", 0o755),
                Placed("deploy/debian/wutong-switch-version.service", f"{UNITS}/wutong-switch-version.service"),
                Placed("systemd/wutong.sysusers.conf", "usr/lib/sysusers.d/wutong.conf"),
                Placed("systemd/wutong.tmpfiles.conf", "usr/lib/tmpfiles.d/wutong.conf", made=common_folders),
                Placed("deploy/debian/wutong.1", "usr/share/man/man1/wutong.1"),
                Placed("deploy/debian/wutong-switch-version.8", "usr/share/man/man8/wutong-switch-version.8"),
            ),
            overrides=dict.fromkeys(OF_WHEELS, WHEELS) | PYTHON,
        ),
        DebPackage(
            "wutong-model",
            "sound",
            "smart courtroom: the speech model",
            "The speech model by which a room turns speech into words (Whisper base,\nas CTranslate2 reads it).",
            (),
            architecture="all",
        ),
        DebPackage(
            "wutong-room",
            "video",
            "smart courtroom: one courtroom",
            "Records picture and sound, turns speech into words, serves the clerk's\n"
            "panel and the display, and carries the record to a center.",
            (f"wutong {same}", "wutong-model", "chrony", "libasound2-plugins", "adduser | systemd"),
            (
                *_units(
                    "wutong-recorder.service",
                    "wutong-signer.service",
                    "wutong-transcriber.service",
                    "wutong-edge.service",
                    "wutong-uplink.service",
                    "wutong-room.target",
                ),
                Placed("deploy/debian/wutong-setup.service", f"{UNITS}/wutong-setup.service"),
                *_examples(
                    "wutong-room",
                    "hardware/profiles/example.toml",
                    "systemd/signer-tpm.conf",
                    "systemd/transcriber-servers.conf",
                    "systemd/wutong-uplink-plain.conf",
                ),
                Placed("deploy/debian/wutong-room.README.Debian", "usr/share/doc/wutong-room/README.Debian"),
            ),
            relations={"Recommends": "wutong-kiosk", "Suggests": "tpm2-tools, libreoffice-writer-nogui"},
            overrides=TARGET,
        ),
        DebPackage(
            "wutong-center",
            "video",
            "smart courtroom: the center of a court",
            "Receives what the rooms record, keeps it, and shows it to inspectors,\n"
            "live and past. It comes with Mosquitto's configuration and starts by\nitself.",
            (f"wutong {same}", "mosquitto", LDAP[release], "libsasl2-2", "adduser | systemd"),
            (
                *_units(
                    "wutong-center.service",
                    "wutong-center@.service",
                    "wutong-speech-server.service",
                    "wutong-broker-reload.service",
                    "wutong-broker-reload.path",
                ),
                Placed("systemd/wutong-mosquitto.service.conf", f"{UNITS}/mosquitto.service.d/wutong.conf"),
                Placed("systemd/wutong-mosquitto.conf", "etc/mosquitto/conf.d/wutong.conf"),
                Placed("systemd/wutong-mosquitto.acl", "etc/mosquitto/wutong.acl"),
                Placed("systemd/wutong.tmpfiles.conf", "usr/lib/tmpfiles.d/wutong.broker.conf", made=broker_folder),
                Placed("systemd/center.example.toml", "usr/share/wutong-center/center.toml", made=first_configuration),
                *_examples(
                    "wutong-center",
                    "systemd/center.example.toml",
                    "systemd/wutong-nginx.conf",
                    "systemd/wutong-nginx-stream.conf",
                    "systemd/wutong-center-gateway.conf",
                    "systemd/wutong-center-plain.conf",
                    "systemd/wutong-nats.conf",
                    "systemd/wutong-nats-cluster.conf",
                    "systemd/wutong-nats.service.conf",
                    "systemd/wutong-nats.tmpfiles.conf",
                    "systemd/wutong-broker-reload-nats.conf",
                    "systemd/wutong-emqx.conf",
                    "systemd/wutong-emqx-acl.conf",
                    "deploy/monitoring/prometheus.example.yml",
                    "deploy/monitoring/wutong.rules.yml",
                    "deploy/monitoring/wutong-center.json",
                    "deploy/monitoring/wutong-machines.json",
                    "deploy/monitoring/wutong-rooms.json",
                ),
                Placed("deploy/debian/wutong-center.README.Debian", "usr/share/doc/wutong-center/README.Debian"),
            ),
            relations={"Recommends": "chrony", "Suggests": "postgresql, nginx, libnginx-mod-stream"},
            overrides=SYSTEMCTL,
        ),
        DebPackage(
            "wutong-kiosk",
            "video",
            "smart courtroom: panel and display on this machine's screens",
            "Shows the clerk's panel and the courtroom's display, each in a browser\n"
            "that fills its screen and comes back by itself; for a room's machine or\none beside it.",
            (
                "python3 (>= 3.11)",
                "chromium",
                "openbox",
                "xserver-xorg",
                "xinit",
                "xauth",
                "x11-xserver-utils",
                "libnss3-tools",
                "libpam-systemd",
                "fonts-noto-cjk",
                "systemd",
            ),
            (
                Placed("deploy/kiosk/kiosk.py", "usr/lib/wutong-kiosk/kiosk", 0o755),
                Placed("deploy/kiosk/session", "usr/lib/wutong-kiosk/session", 0o755),
                Placed("deploy/kiosk/waiting.html", "usr/share/wutong-kiosk/waiting.html"),
                Placed("deploy/kiosk/openbox.xml", "usr/share/wutong-kiosk/openbox.xml"),
                Placed("deploy/kiosk/kiosk.toml", "etc/wutong/kiosk.toml"),
                Placed("deploy/kiosk/policies.json", "etc/chromium/policies/managed/wutong-kiosk.json"),
                Placed("deploy/kiosk/wutong-kiosk.sysusers.conf", "usr/lib/sysusers.d/wutong-kiosk.conf"),
                *(
                    Placed(f"deploy/kiosk/{name}", f"{UNITS}/{name}")
                    for name in ("wutong-kiosk.service", "wutong-kiosk-files.service", "wutong-kiosk-files.path")
                ),
            ),
            architecture="all",
        ),
    ]
