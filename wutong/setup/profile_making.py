"""From what was chosen to the profile on the disk, with the files of its passwords.

Promises: nothing is written of choices that make no room. Passwords get files of free names, so that the profile of
before still has those of its cameras.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hardware.discovery.found_devices import FoundMicrophones
from hardware.profile import Profile
from hardware.profile_text import read_table, write_profile, write_secret
from sync.room.enrollment import RoomOffer
from wutong.setup.candidates import Candidates
from wutong.setup.choices import InvalidChoicesError, SetupChoices, faults_of
from wutong.setup.messages import ChoiceFault, Purpose
from wutong.setup.owner_tasks import owner_of
from wutong.setup.profile_table import (
    camera_slugs,
    camera_table,
    center_table,
    microphones_table,
    seat_tables,
    whole_table,
)

SIMULATED = "模拟话筒 (simulated)"
"""How the microphones of a hearing folder are called."""
RATES_HZ = (16_000, 48_000, 44_100, 32_000)
"""That suit speech, the best first."""


@dataclass(frozen=True)
class SetupPlace:
    """Where the room will be on this machine."""

    profile: Path
    data: Path
    host: str
    port: int
    """Of the panel."""
    hearing: Path | None = None
    """A hearing folder: its simulated devices can be chosen, too."""
    also: tuple[tuple[str, int], ...] = ()
    """Machines that are asked for cameras by themselves."""
    own: tuple[str, ...] | None = None
    """Addresses of this machine from which cameras are looked for; None: its private ones."""


class ProfileMaking:
    """One profile; made for one writing."""

    def __init__(
        self,
        place: SetupPlace,
        purpose: Purpose,
        cameras: Candidates,
        device: Callable[[str], FoundMicrophones],
        before: Profile | None,
    ) -> None:
        """`device`: an input device by its name, or `InvalidChoicesError`. `before`: of this machine until now."""
        self._place = place
        self._purpose = purpose
        self._cameras = cameras
        self._device = device
        self._before = before
        self._secrets: dict[Path, str] = {}

    @property
    def is_whole(self) -> bool:
        """Whether all of a room is said, and not a part of one that is there."""
        return self._purpose in ("new", "anew")

    async def table(self, choices: SetupChoices, offer: RoomOffer | None, url: str) -> dict[str, Any]:
        """What the file will say; `InvalidChoicesError`. `offer` and `url`: of a whole room and its center."""
        if self._purpose == "camera":
            return self._with_camera(await asyncio.to_thread(read_table, self._place.profile), choices)
        if self.is_whole and offer is None:
            raise InvalidChoicesError([{"field": "carried", "text": "请先输入登记码 (enter the code first)"}])
        faults = faults_of(choices, cameras=self.is_whole)
        if faults or choices.microphones is None:
            raise InvalidChoicesError(faults)
        before = {} if self.is_whole else await asyncio.to_thread(read_table, self._place.profile)
        simulated = self._place.hearing if choices.microphones.name == SIMULATED else None
        rate = RATES_HZ[0]
        if simulated is None:
            rate = await asyncio.to_thread(rate_of, self._device(choices.microphones.name))
        parts: dict[str, Any] = {
            "microphones": microphones_table(choices.microphones, rate, simulated),
            "seats": seat_tables(choices.seats),
        }
        room = before.get("room", {})
        if self.is_whole and offer is not None:
            room = offer.model_dump(include={"court", "room", "court_name", "room_name"})
            pairs = zip(choices.cameras, camera_slugs(choices.cameras), strict=True)
            parts["cameras"] = [self._camera(one.candidate, one.name, slug) for one, slug in pairs]
            host = urlsplit(url).hostname or ""
            parts["center"] = center_table(url, offer, f"[{host}]" if ":" in host else host) if url else None
        data = self._place.data if self._before is None else self._before.storage.data
        return whole_table(before, room, parts, data=data, host=self._place.host, port=self._place.port)

    def write(self, table: dict[str, Any]) -> Path | None:
        """Write it and its passwords; where the profile before is kept, None where there was none."""
        owner = owner_of(Path(table["storage"]["data"]))
        for path, password in self._secrets.items():
            write_secret(path, password, owner)
        return write_profile(self._place.profile, table, datetime.now(), None if owner is None else owner[1])

    def _with_camera(self, before: dict[str, Any], choices: SetupChoices) -> dict[str, Any]:
        cameras = list(before["cameras"])
        at = next((n for n, one in enumerate(cameras) if one["id"] == choices.replaces), None)
        faults: list[ChoiceFault] = []
        if at is None:
            faults.append({"field": "replaces", "text": "请选择要更换的摄像机 (choose the camera to replace)"})
        if len(choices.cameras) != 1:
            faults.append({"field": "cameras", "text": "请选择一台新摄像机 (choose one camera)"})
        if faults or at is None:
            raise InvalidChoicesError(faults)
        chosen, old = choices.cameras[0], cameras[at]
        cameras[at] = self._camera(chosen.candidate, old["name"], old["id"])
        return {**before, "cameras": cameras}

    def _camera(self, candidate: str, name: str, slug: str) -> dict[str, Any]:
        one = self._cameras.get(candidate)
        if one.found.driver == "rtsp" and not one.url:
            words = f"{name}：还没有得到它的画面 (its picture was not seen yet)"
            raise InvalidChoicesError([{"field": "cameras", "text": words}])
        file = None
        if one.password:
            file = self._free_file(slug)
            self._secrets[file] = one.password
        return camera_table(name, one, slug, file)

    def _free_file(self, slug: str) -> Path:
        number = 1
        while True:
            file = self._place.profile.with_name(f"{slug}.password" if number == 1 else f"{slug}-{number}.password")
            if file not in self._secrets and not file.exists():
                return file
            number += 1


def rate_of(device: FoundMicrophones) -> int:
    """Of the rates that suit speech, the first that a device takes. Blocks for some milliseconds."""
    from hardware.drivers.portaudio import find_device, unsupported

    info = find_device(device.name, device.channels)
    for rate in (*RATES_HZ, device.rate_hz):
        if not unsupported(info, device.channels, rate):
            return rate
    return device.rate_hz
