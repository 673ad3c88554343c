"""The table of a profile, made of what was chosen; of a room that is there, what was not asked about stays."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sync.room.enrollment import RoomOffer
from wutong.setup.candidates import Candidate
from wutong.setup.choices import ChosenCamera, ChosenMicrophones, ChosenSeat

_SEATS = {
    "审判长": "judge",
    "审判员": "judge-2",
    "人民陪审员": "lay-judge",
    "书记员": "clerk",
    "原告": "plaintiff",
    "原告代理人": "plaintiff-counsel",
    "被告": "defendant",
    "被告代理人": "defendant-counsel",
    "公诉人": "prosecutor",
    "被告人": "accused",
    "辩护人": "defender",
    "证人": "witness",
}
_CAMERAS = {"审判席": "bench", "当事人席": "parties", "证人席": "witness-stand", "全景": "room", "旁听席": "gallery"}
_RATES = (16_000, 48_000, 44_100, 32_000)


def seat_tables(seats: Sequence[ChosenSeat]) -> list[dict[str, Any]]:
    """The profile's `[[seats]]`."""
    taken: set[str] = set()
    return [
        {"id": _free(_SEATS.get(seat.role, ""), "seat", taken), "roles": [seat.role], "channel": seat.channel}
        for seat in seats
    ]


def camera_table(name: str, camera: Candidate, slug: str, password_file: Path | None) -> dict[str, Any]:
    """One of the profile's `[[cameras]]`."""
    driver = camera.found.driver
    table: dict[str, Any] = {"id": slug, "name": name, "driver": driver}
    if driver == "v4l2":
        return {**table, "device": camera.found.device}
    if driver == "simulated":
        return {**table, "file": camera.found.device.partition("#")[0]}
    table["url"] = camera.url
    if camera.sub:
        table["sub"] = camera.sub
    if camera.user:
        table["user"] = camera.user
    if password_file is not None:
        table["password_file"] = str(password_file)
    if camera.onvif_port:
        table["onvif_port"] = camera.onvif_port
    return table


def camera_slugs(cameras: Sequence[ChosenCamera], taken: Iterable[str] = ()) -> list[str]:
    """A short name for each."""
    used = {*taken, "mics", "mix", "program", "tile"}
    return [_free(_CAMERAS.get(one.name, _latin(one.name)), "camera", used) for one in cameras]


def microphones_table(chosen: ChosenMicrophones, rate_hz: int, hearing: Path | None) -> dict[str, Any]:
    """The profile's `[microphones]`; `hearing`: the folder that simulated ones play."""
    if hearing is not None:
        return {"driver": "simulated", "file": str(hearing), "channels": chosen.channels}
    table: dict[str, Any] = {"driver": "pyaudio", "device": chosen.name, "channels": chosen.channels}
    return table if rate_hz == _RATES[0] else {**table, "rate_hz": rate_hz}


def center_table(url: str, offer: RoomOffer, host: str) -> dict[str, Any]:
    """The profile's `[center]`; `host`: of its address, for brokers that are named without one."""
    places = [f"{host}{place}" if place.startswith(":") else place for place in offer.brokers]
    table: dict[str, Any] = {"url": url, "mqtt_tls": offer.mqtt_tls}
    if len(places) == 1:
        name, _, port = places[0].rpartition(":")
        return {**table, "mqtt_host": name.strip("[]"), "mqtt_port": int(port)}
    return {**table, "brokers": places}


def whole_table(
    before: Mapping[str, Any],
    room: Mapping[str, str],
    parts: Mapping[str, Any],
    *,
    data: Path,
    host: str,
    port: int,
) -> dict[str, Any]:
    """All of a profile. `parts`: `seats`, `microphones`, `cameras` and `center` as they are now; what `before` says of
    anything else stays."""
    table = copy.deepcopy(dict(before))
    table["room"] = dict(room)
    for name, value in parts.items():
        if value is None:
            table.pop(name, None)
        else:
            table[name] = value
    table.setdefault("storage", {"data": str(data)})
    table.setdefault("panel", {"host": host, "port": port})
    simulated = table["microphones"].get("driver") == "simulated"
    if simulated and not before:
        table["selftest"] = {"loudspeaker": "simulated"}
    return table


def _free(wanted: str, kind: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while not name or name in taken:
        name = f"{wanted or kind}-{number}"
        number += 1
    taken.add(name)
    return name


def _latin(name: str) -> str:
    """What of a name an address can have."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24] if name.isascii() else ""
