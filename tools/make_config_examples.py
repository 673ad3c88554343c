"""Write the example of a room's profile and of a center's configuration from their types.

    .venv/bin/python tools/make_config_examples.py

So they name every field, say what it may be, and never grow old.

Fields without a value here are written as comments with their default.
"""

from __future__ import annotations

import argparse
import json
import sys
import typing
from pathlib import Path
from typing import Any

from annotated_types import Ge, Le, Lt
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from hardware.profile import Profile
from server.config import Config

ROOT = Path(__file__).resolve().parent.parent

ROOM_EXAMPLE = ROOT / "hardware" / "profiles" / "example.toml"
CENTER_EXAMPLE = ROOT / "systemd" / "center.example.toml"

ROOM_HEAD = """\
# An example of a courtroom's profile: every field, written by tools/make_config_examples.py from its type.
# Copy it to /etc/wutong/room.toml, change it, and ask: wutong doctor /etc/wutong/room.toml
# Relative paths are relative to the profile's folder. A line that begins with # shows a default."""
CENTER_HEAD = """\
# An example of a center's configuration: every field, written by tools/make_config_examples.py from its type.
# Copy it to /etc/wutong/center.toml and change it; docs/operations.md says how a room is added.
# Relative paths are relative to the file's folder. A line that begins with # shows a default."""
CENTER: dict[str, Any] = {
    "web": {"host": "0.0.0.0"},  # noqa: S104
    "mqtt": {"tls": True, "port": 8883},
    "tls": {"names": ["center.court.example"], "broker": "/var/lib/wutong-broker"},
    "storage": {"data": "/var/lib/wutong-center"},
    "s3": {},
    "audit": {},
    "metrics": {"port": 8801},
    "people": {},
    "rooms": [
        {
            "court": "jianshan",
            "room": "3",
            "court_name": "尖山区人民法院",
            "room_name": "第三法庭",
        },
    ],
}
ROOM: dict[str, Any] = {
    "room": {"court": "jianshan", "room": "3", "court_name": "尖山区人民法院", "room_name": "第三法庭"},
    "seats": [
        {"id": "judge", "roles": ["审判长"], "channel": 0},
        {"id": "plaintiff", "roles": ["原告", "原告代理人"], "channel": 1},
        {"id": "defendant", "roles": ["被告"], "channel": 2},
        {"id": "clerk", "roles": ["书记员"], "channel": 3},
    ],
    "microphones": {"driver": "pyaudio", "device": "USB Audio", "channels": 4},
    "cameras": [
        {
            "id": "bench",
            "name": "审判席",
            "driver": "rtsp",
            "url": "rtsp://192.168.10.21/main",
            "user": "viewer",
            "password_file": "/etc/wutong/bench.password",
        },
        {
            "id": "parties",
            "name": "当事人席",
            "driver": "v4l2",
            "device": "/dev/v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0",
        },
    ],
    "storage": {"data": "/var/lib/wutong"},
    "selftest": {},
    "transcriber": {},
    "program": {},
    "panel": {},
    "signer": {},
    "center": {
        "url": "https://center.court.example:8800",
        "mqtt_host": "center.court.example",
        "mqtt_port": 8883,
    },
    "tls": {"names": ["room3.court.example"]},
    "metrics": {"port": 8811},
}


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and booleans are written alike


def choices(field: FieldInfo) -> str:
    """What a field may be, in words; empty when anything of its type."""
    if typing.get_origin(field.annotation) is typing.Literal:
        return " or ".join(toml(choice) for choice in typing.get_args(field.annotation))
    least = next((m.ge for m in field.metadata if isinstance(m, Ge)), None)
    most = next((m.le for m in field.metadata if isinstance(m, Le)), None)
    below = next((m.lt for m in field.metadata if isinstance(m, Lt)), None)
    if least is not None and most is not None:
        return f"{least} to {most}"
    if least is not None and below is not None:
        return f"{least} to less than {below}"
    return "" if least is None else f"{least} or more"


def fields(known: dict[str, FieldInfo], values: dict[str, Any], *, describe: bool) -> list[str]:
    """The lines of one table; `describe` is false for the second and further of a list."""
    lines: list[str] = []
    for attribute, field in known.items():
        name = field.alias or attribute
        if describe:
            allowed = choices(field)
            lines.append(f"# {field.description}" + (f" ({allowed})" if allowed else ""))
        if name in values:
            lines.append(f"{name} = {toml(values[name])}")
        elif describe:
            lines.append(f"# {name} = " + ("(not set)" if field.default is None else toml(field.default)))
    return lines


def is_table(annotation: Any) -> bool:
    """Whether a field is a table, or a list of tables."""
    inner = typing.get_args(annotation)[0] if typing.get_origin(annotation) is list else annotation
    return isinstance(inner, type) and issubclass(inner, BaseModel)


def part(annotation: Any) -> tuple[type[BaseModel], bool]:
    """(model, whether it is a list) of a field of the profile."""
    if typing.get_origin(annotation) is list:
        return typing.get_args(annotation)[0], True
    return annotation, False


def render(whole: type[BaseModel], values: dict[str, Any], head: str) -> str:
    """The example of a configuration as text."""
    plain = {name: field for name, field in whole.model_fields.items() if not is_table(field.annotation)}
    lines = [head]
    if plain:
        lines += ["", *fields(plain, values, describe=True)]
    for name, field in whole.model_fields.items():
        if name in plain:
            continue
        model, many = part(field.annotation)
        summary = (model.__doc__ or "").strip().splitlines()[0]
        lines += ["", f"# {summary}"]
        if many:
            for number, entry in enumerate(values[name]):
                lines += ([""] if number else []) + [f"[[{name}]]"]
                lines += fields(model.model_fields, entry, describe=number == 0)
        else:
            lines += table(name, model, values[name])
    return "\n".join(lines) + "\n"


def table(name: str, model: type[BaseModel], values: dict[str, Any]) -> list[str]:
    """The lines of a table, and those of the tables in it behind them."""
    inner = {one: field for one, field in model.model_fields.items() if is_table(field.annotation)}
    plain = {one: field for one, field in model.model_fields.items() if one not in inner}
    lines = [f"[{name}]", *fields(plain, values, describe=True)]
    for one, field in inner.items():
        within = part(field.annotation)[0]
        lines += ["", f"# {(within.__doc__ or '').strip().splitlines()[0]}"]
        lines += table(f"{name}.{one}", within, values.get(one, {}))
    return lines


def examples() -> dict[Path, str]:
    """Each example's file and what belongs in it."""
    return {ROOM_EXAMPLE: render(Profile, ROOM, ROOM_HEAD), CENTER_EXAMPLE: render(Config, CENTER, CENTER_HEAD)}


def main() -> int:
    """Command line."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for path, text in examples().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
