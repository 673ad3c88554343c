"""One room that is being set up: what was found, what was chosen, and what became of it.

Promises: nothing is written before all of it was said and makes a room; the profile is replaced whole, and the one
before is kept beside it; recordings are never touched, and while a hearing is open nothing is changed at all.
"""

from __future__ import annotations

import asyncio
from typing import Any

from hardware.discovery.found_devices import FoundDevices, FoundMicrophones, find
from hardware.profile import Camera, Profile, load_profile
from hardware.simulation.hearing_folder import HearingFolder
from hardware.web_address import check_web_address
from sync.errors import ConfigError, HearingError
from sync.room.enrollment import RoomOffer, ask_room, carried_parts
from sync.room.paths import RoomPaths
from sync.runtime.process.service import cancel_and_wait
from sync.tls.places import place_of
from wutong.setup.candidates import Candidates, simulated_cameras
from wutong.setup.choices import (
    ChosenCenter,
    InvalidChoicesError,
    SetupChoices,
    name_fault,
    slug_fault,
)
from wutong.setup.listening import Listening
from wutong.setup.messages import ChoiceFault, Purpose, SetupState, ShownMicrophones, ShownRoomNow, ShownSetup
from wutong.setup.owner_tasks import ask_as_owner
from wutong.setup.profile_making import RATES_HZ, SIMULATED, ProfileMaking, SetupPlace, rate_of
from wutong.setup.proving import Proving, heard
from wutong.setup.services import BEHIND_PANEL, RoomServices

BROKER_PORT = 8883
LINK_S = 1.5
"""So long an uplink that runs is waited for: it says its link to each who asks."""


class RoomSetup:
    """All methods belong to one event loop."""

    def __init__(self, place: SetupPlace, services: RoomServices) -> None:
        self.place = place
        self.services = services
        self.proving = Proving(place.profile, services)
        self._hearing = None if place.hearing is None else HearingFolder(place.hearing)
        self.cameras = Candidates()
        self.finished = asyncio.Event()
        """Everything is done, and the panel takes the port."""
        self._purpose: Purpose = "new"
        self._before: Profile | None = None
        self._seen: dict[str, Any] = {}
        self._waiting: dict[str, Any] = {}
        self._center: ChosenCenter | None = None
        self._offer: RoomOffer | None = None
        self._url = ""
        self._carried = ""
        self._microphones: list[FoundMicrophones] = []
        self._troubles: list[str] = []
        self._searching = asyncio.Lock()
        self._searched = False
        self._listening: Listening | None = None
        self._working: asyncio.Task[None] | None = None
        self._done = False

    # What is there.

    async def open(self) -> None:
        """Look whether this machine is a room already; `ConfigError` for a profile that no service takes."""
        if self.place.profile.exists():
            self._before = await asyncio.to_thread(load_profile, self.place.profile)
            await self.look()

    async def close(self) -> None:
        """Give devices and processes back."""
        if self._listening is not None:
            await self._listening.stop()
        if self._working is not None:
            await cancel_and_wait(self._working)

    async def choose(self, purpose: Purpose) -> None:
        """What is wanted of a room that is there."""
        if (purpose == "new") != (self._before is None):
            raise ConfigError("本机的状态与此不符 (this machine is not in that state)", code="purpose")
        await self.look()
        self._check_no_hearing()
        self._purpose = purpose
        self._offer, self._center = None, None

    async def find(self) -> FoundDevices:
        """Look for devices; whoever asks meanwhile waits for the same search."""
        async with self._searching:
            found = await find(self.place.also, self.place.own)
            cameras = [*found.cameras]
            if self.place.hearing is not None:
                cameras += simulated_cameras(self.place.hearing)
            for one in cameras:
                self.cameras.add(one)
            self._microphones, self._troubles, self._searched = found.microphones, found.troubles, True
            return found

    def microphones(self) -> list[ShownMicrophones]:
        """The input devices, and the simulated one where there is a hearing to play."""
        shown: list[ShownMicrophones] = [
            {"name": one.name, "driver": "pyaudio", "channels": one.channels, "direct": one.direct}
            for one in self._microphones
        ]
        if self._hearing is not None:
            channels = self._hearing.channels
            shown.append({"name": SIMULATED, "driver": "simulated", "channels": channels, "direct": True})
        return shown

    async def listen(self, name: str) -> None:
        """Hear an input device; "" gives it back."""
        if self._listening is not None:
            await self._listening.stop()
            self._listening = None
        if not name:
            return
        if name == SIMULATED and self._hearing is not None:
            self._listening = Listening(name, self._hearing.channels)
            self._listening.start("file", "", self._hearing.audio, RATES_HZ[0])
            return
        device = self._device(name)
        self._listening = Listening(name, device.channels)
        self._listening.start("pyaudio", name, None, await asyncio.to_thread(rate_of, device))

    def ask(self, role: str) -> None:
        """Who is to speak now."""
        if self._listening is None:
            raise ConfigError("请先选择录音设备 (choose the microphones first)", code="microphones")
        self._listening.ask(role)

    # What is chosen.

    async def center(self, chosen: ChosenCenter) -> RoomOffer | None:
        """Take the center's code, or that there is none; the room that it is for, None where a center of before does
        not say it and the fields have to. `InvalidChoicesError`, `CenterError`."""
        if chosen.alone:
            self._offer = self._typed(chosen)
            self._center, self._url, self._carried = chosen, "", ""
            return self._offer
        address, code = carried_parts(chosen.carried)
        url = (chosen.url.strip() or address).rstrip("/")
        faults: list[ChoiceFault] = []
        if not code:
            faults.append({"field": "carried", "text": "请输入中心给出的登记码 (enter the code of the center)"})
        elif "." not in code:
            words = "登记码不完整：应为“登记码.指纹” (the code is not whole: CODE.FINGERPRINT)"
            faults.append({"field": "carried", "text": words})
        try:
            check_web_address(url)
        except ValueError:
            words = "请填写中心地址，例如 https://center.court.example:8800 (the center's address)"
            faults.append({"field": "url", "text": words})
        if faults:
            raise InvalidChoicesError(faults)
        offer = await asyncio.to_thread(ask_room, url, code)
        if offer is None and (chosen.court or chosen.room):
            offer = self._typed(chosen)
        if offer is not None:
            # A center may have short names alone.
            names = {"court_name": offer.court_name or offer.court, "room_name": offer.room_name or offer.room}
            offer = offer.model_copy(update={**names, "brokers": offer.brokers or [f":{BROKER_PORT}"]})
        self._center, self._offer, self._url, self._carried = chosen, offer, url, code
        return offer

    def _typed(self, chosen: ChosenCenter) -> RoomOffer:
        faults = [
            *slug_fault("court", chosen.court),
            *slug_fault("room", chosen.room),
            *name_fault("court_name", chosen.court_name),
            *name_fault("room_name", chosen.room_name),
        ]
        brokers = []
        if chosen.broker.strip():
            try:
                brokers = [str(place_of(chosen.broker))]
            except ValueError:
                words = "请写作 主机:端口，例如 center.court.example:8883 (write host:port)"
                faults.append({"field": "broker", "text": words})
        if faults:
            raise InvalidChoicesError(faults)
        return RoomOffer(
            court=chosen.court,
            room=chosen.room,
            court_name=chosen.court_name,
            room_name=chosen.room_name,
            brokers=brokers,
        )

    async def write(self, choices: SetupChoices) -> None:
        """Write what was chosen, and begin with the steps behind it. `InvalidChoicesError`, `HearingError`."""
        if self._working is not None and not self._working.done():
            raise ConfigError("正在进行中 (this goes on already)", code="busy")
        await self.look()
        self._check_no_hearing()
        making = ProfileMaking(self.place, self._purpose, self.cameras, self._device, self._before)
        table = await making.table(choices, self._offer, self._url)
        before = await asyncio.to_thread(making.write, table)
        self.proving = Proving(self.place.profile, self.services)
        self.proving.carried = self._carried
        self.proving.say("profile", "done", "" if before is None else f"原配置保存为 {before.name} (the one before)")
        self.again()

    def again(self) -> None:
        """Go on with the steps that are not done."""
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        await self.listen("")
        await self.proving.run()
        self._done = not self.proving.failed
        if self._done:
            self._before = await asyncio.to_thread(load_profile, self.place.profile)

    async def start_panel(self) -> None:
        """Start what needs the panel's port, which is free now."""
        await self.services.start(BEHIND_PANEL)

    # What is shown.

    def shown(self) -> ShownSetup:
        """For the page."""
        working = self._working is not None and not self._working.done()
        state: SetupState = "working" if working else "failed" if self.proving.failed else "choosing"
        if self._done and not working:
            state = "done"
        return {
            "purpose": self._purpose,
            "room": self._room_now(),
            "offer": None
            if self._offer is None
            else {
                "court": self._offer.court,
                "room": self._offer.room,
                "court_name": self._offer.court_name,
                "room_name": self._offer.room_name,
            },
            "alone": self._center is not None and self._center.alone,
            "searching": self._searching.locked(),
            "searched": self._searched,
            "troubles": self._troubles,
            "cameras": [one.shown() for one in self.cameras],
            "microphones": self.microphones(),
            "listening": None if self._listening is None else self._listening.shown(),
            "steps": self.proving.shown(),
            "state": state,
            "command": self.services.command,
        }

    def _room_now(self) -> ShownRoomNow | None:
        profile = self._before
        if profile is None:
            return None
        return {
            "court_name": profile.room.court_name,
            "room_name": profile.room.room_name,
            "address": profile.address,
            "cameras": [{"id": one.id, "name": one.name, "place": camera_place(one)} for one in profile.cameras],
            "seats": [{"role": seat.role, "channel": seat.channel} for seat in profile.seats],
            "microphones": profile.microphones.device,
            "waiting_events": int(self._waiting.get("pending_events", -1)),
            "waiting_bytes": int(self._waiting.get("pending_bytes", -1)),
            "hearing_open": bool(self._seen.get("hearing_open", False)),
        }

    # Within.

    async def look(self) -> None:
        """Look again whether a hearing is open, and what the center has not yet."""
        if self._before is not None:
            question = {"do": "look", "profile": str(self.place.profile)}
            self._seen = await ask_as_owner(self._before.storage.data, question)
            self._waiting = await self._link(RoomPaths(self._before.storage.data))

    async def _link(self, layout: RoomPaths) -> dict[str, Any]:
        """What the uplink says that the center has not yet; nothing where it does not run, or has no center."""
        said: dict[str, Any] = {}

        def taken(link: dict[str, Any]) -> bool:
            said.update(pending_events=int(link["pending_events"]), pending_bytes=int(link["pending_bytes"]))
            return True

        if self._before is not None and self._before.center.url:
            await heard(layout.feed("uplink"), "link", taken, LINK_S)
        return said

    def _check_no_hearing(self) -> None:
        if self._seen.get("hearing_open"):
            raise HearingError(
                "庭审正在进行，闭庭后才能更改 (a hearing is open: nothing is changed before it is closed)",
                code="hearing-open",
            )

    def _device(self, name: str) -> FoundMicrophones:
        for one in self._microphones:
            if one.name == name:
                return one
        raise InvalidChoicesError([{"field": "microphones", "text": "没有这个录音设备 (there is no such device)"}])


def camera_place(camera: Camera) -> str:
    """Where a camera of a profile is, for people: without user and password."""
    if camera.driver == "rtsp":
        return camera.address("").shown
    return camera.device or "模拟设备 (simulated)"
