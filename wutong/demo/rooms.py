"""The demo's courtrooms: profiles written from a hearing folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

COURT = "jianshan"
COURT_NAME = "尖山区人民法院"
_NUMERALS = "一二三四五六七八九十"
_SEAT_IDS = {
    "审判长": "judge",
    "书记员": "clerk",
    "原告": "plaintiff",
    "被告": "defendant",
    "公诉人": "prosecutor",
    "辩护人": "defender",
    "被告人": "accused",
    "证人": "witness",
}


@dataclass(frozen=True)
class RoomPlan:
    """One courtroom of the demo, before it is started."""

    room: str
    room_name: str
    port: int
    transcribes: bool
    data: Path
    profile: Path

    @property
    def address(self) -> str:
        """`court/room`."""
        return f"{COURT}/{self.room}"


def plan_rooms(data: Path, count: int, first_port: int) -> list[RoomPlan]:
    """The rooms of a demo; only the first has a transcriber, because one speech model fills two cores."""
    rooms = []
    for index in range(count):
        room = f"room-{index + 1:02}"
        name = f"第{_NUMERALS[index]}法庭" if index < len(_NUMERALS) else f"第{index + 1}法庭"
        folder = data / room
        rooms.append(RoomPlan(room, name, first_port + index, index == 0, folder, folder / "room.toml"))
    return rooms


def write_profile(
    plan: RoomPlan,
    hearing: Path,
    *,
    center_url: str,
    token_file: Path,
    mqtt_port: int,
    tls: bool = False,
    small: bool = False,
    words: bool = True,
    cameras: int = 2,
) -> None:
    """Write the TOML profile of a simulated room that acts the hearing in folder `hearing`; `tls`: panel by HTTPS.

    `small`: pictures of 320×180 and no words, and a hearing may be opened without a self-test. `words`: whether rooms
    that may transcribe do; `cameras`: one or two.
    """
    channels: dict[str, list[str]] = json.loads((hearing / "reference.json").read_text(encoding="utf-8"))["channels"]
    q = json.dumps  # a JSON string is a TOML basic string
    lines = [
        "[room]",
        f"court = {q(COURT)}",
        f"room = {q(plan.room)}",
        f"court_name = {q(COURT_NAME, ensure_ascii=False)}",
        f"room_name = {q(plan.room_name, ensure_ascii=False)}",
        "",
    ]
    for channel, roles in sorted(channels.items(), key=lambda item: int(item[0])):
        seat = _SEAT_IDS.get(roles[0], f"seat-{channel}")
        lines += [
            "[[seats]]",
            f"id = {q(seat)}",
            f"roles = {q(roles, ensure_ascii=False)}",
            f"channel = {int(channel)}",
            "",
        ]
    for camera, name in (("bench", "审判席"), ("parties", "当事人席"))[:cameras]:
        lines += [
            "[[cameras]]",
            f"id = {q(camera)}",
            f"name = {q(name, ensure_ascii=False)}",
            'driver = "simulated"',
            f"file = {q(str(hearing.resolve()))}",
            *(["width = 320", "height = 180"] if small else []),
            "",
        ]
    lines += [
        "[microphones]",
        'driver = "simulated"',
        f"file = {q(str(hearing.resolve()))}",
        f"channels = {max(int(c) for c in channels) + 1}",
        "",
        "[storage]",
        f"data = {q(str(plan.data.resolve()))}",
        "",
        "[selftest]",
        f"opening = {q('advise' if small else 'required')}",
        'loudspeaker = "simulated"',
        "",
        "[transcriber]",
        f"engine = {q('faster-whisper' if plan.transcribes and words and not small else 'off')}",
        "",
        "[panel]",
        f"port = {plan.port}",
        "",
        "[center]",
        f"url = {q(center_url)}",
        f"token_file = {q(str(token_file.resolve()))}",
        f"mqtt_port = {mqtt_port}",
        "mqtt_tls = true",
        "",
        "[tls]",
        f"loopback = {q(tls)}",
        "",
    ]
    plan.profile.parent.mkdir(parents=True, exist_ok=True)
    plan.profile.write_text("\n".join(lines), encoding="utf-8")
