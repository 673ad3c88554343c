"""The courtroom profile: one TOML file that says what is plugged in, where the center is and what is kept.

Every field is described here and checked when a service starts; `wutong doctor PROFILE` says what is wrong with one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from hardware.camera_address import CameraAddress
from hardware.center_settings import CenterSettings, RoomTls
from hardware.profile_part import ProfilePart
from hardware.signer_settings import SignerSettings
from hardware.speech_settings import Transcriber
from hardware.web_address import check_web_address
from sync.errors import ConfigError
from sync.http.monitoring.settings import MetricsSettings
from sync.http.rights.origins import PublicOrigin
from sync.media.tracks import COMPATIBLE_SUFFIX, MICROPHONES, MIX, PROGRAM, TILE
from sync.runtime.files.secrets import read_secret
from sync.runtime.files.settings_file import read_settings
from sync.text.fields import LINE
from sync.tls.hosts import is_loopback
from sync.tls.plain import PlainPolicy, PlainWire, plain_url

PROGRAM_NAME = "合成画面"
"""The composed track: its name in addresses, and as people read it."""

ReadName = Annotated[str, LINE, Field(min_length=1, max_length=100)]
"""What people read: in one line, without characters that nobody sees."""
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]


class Room(ProfilePart):
    """Which courtroom this is."""

    court: Slug = Field(description="short name of the court, used in topics and addresses")
    room: Slug = Field(description="short name of the courtroom, unique in its court")
    court_name: ReadName = Field(description="the court's name as people read it, e.g. 尖山区人民法院")
    room_name: ReadName = Field(description="the courtroom's name as people read it, e.g. 第三法庭")


class Seat(ProfilePart):
    """A place in the courtroom with its microphone."""

    id: Slug = Field(description="short name of the seat")
    roles: list[ReadName] = Field(min_length=1, description="who sits here; the first role is the one shown")
    channel: int = Field(ge=0, lt=8, description="channel of the microphones' track, counted from 0")

    @property
    def role(self) -> str:
        """The role shown for what is said here."""
        return self.roles[0]


class Microphones(ProfilePart):
    """All microphones of the room: one lossless multichannel track."""

    driver: Literal["pyaudio", "file", "simulated"] = Field(description="how they are plugged in")
    device: str = Field("", description="pyaudio: (part of) the name of the input device")
    file: Path | None = Field(None, description="file: an audio file; simulated: the hearing folder to play")
    loop: bool = Field(True, description="file: begin again at its end; else the track ends there")
    channels: int = Field(ge=1, le=8, description="channels of the device or file; all of them are kept")
    rate_hz: int = Field(16_000, ge=8_000, le=96_000, description="samples a second that are kept")


class Camera(ProfilePart):
    """One camera: one track, H.264 or, copied from a network camera, H.265."""

    id: Slug = Field(description="short name of the camera and of its track")
    name: ReadName = Field(description="the camera's name as people read it, e.g. 审判席")
    driver: Literal["rtsp", "v4l2", "file", "simulated"] = Field(description="how it is plugged in")
    url: str = Field("", repr=False, description="rtsp: address of the main stream, without user and password")
    sub: str = Field(
        "",
        repr=False,
        description="rtsp: address of a second, small stream (H.264, at most 720×576) for walls, with the same user;"
        " it is never recorded. Without it the room makes the small picture itself while somebody watches a wall",
    )
    user: str = Field("", max_length=200, description="rtsp: the user that the camera knows")
    password: SecretStr = Field(
        SecretStr(""), max_length=200, description="rtsp: the user's password, written as it is; better a file"
    )
    password_file: Path | None = Field(None, description="rtsp: file (mode 0600) with the password, instead of it")
    onvif_port: int = Field(
        0, ge=0, le=65535, description="rtsp: port of its ONVIF service (80; 443: HTTPS), asked for key frames; 0: not"
    )
    device: str = Field("", description="v4l2: /dev/v4l/by-path/..., never /dev/videoN: those swap")
    file: Path | None = Field(None, description="file: a video file; simulated: the hearing folder to act")
    loop: bool = Field(True, description="file: begin again at its end; else the track ends there")
    width: int = Field(1280, ge=160, le=3840, description="picture width where it is encoded here; rtsp copies")
    height: int = Field(720, ge=120, le=2160, description="picture height, likewise")
    fps: int = Field(
        25, ge=5, le=60, description="pictures a second, likewise; times are measured, never taken from it"
    )
    compatible: bool = Field(
        False,
        description="rtsp: true: a second track in H.264, encoded here, for browsers that cannot play H.265",
    )

    @model_validator(mode="after")
    def _address_can_be_asked(self) -> Self:
        if self.password.get_secret_value() and self.password_file is not None:
            raise ValueError("'password' and 'password_file' are both there; keep one")
        if self.driver == "rtsp" and self.url:
            try:
                password = "x" if self.password_file is not None else None
                self.address(password)
                if self.sub:
                    self.sub_address(password)
            except ConfigError as error:
                raise ValueError(error.message) from None
        elif self.driver != "rtsp" and (self.url or self.sub or self.user or self.password.get_secret_value()):
            raise ValueError(f"the driver {self.driver} takes no url, sub, user or password")
        if self.compatible and self.driver != "rtsp":
            raise ValueError("'compatible' is for the driver rtsp; what is encoded here is H.264 already")
        return self

    def address(self, password: str | None = None) -> CameraAddress:
        """Where a network camera is asked, with its password; `ConfigError` when the file with it cannot be read."""
        if password is None:
            password = self._password()
        return CameraAddress.parse(self.url, self.user, password)

    def sub_address(self, password: str | None = None) -> CameraAddress:
        """Where its second stream is asked for: at the same machine, by the same user; `ConfigError` likewise."""
        main = self.address(password)
        sub = CameraAddress.parse(self.sub)
        if sub.in_url:
            raise ConfigError("the camera's sub has user and password in it, and is asked with those of its url anyway")
        if (sub.scheme, sub.host) != (main.scheme, main.host):
            raise ConfigError("the camera's sub is at another machine than its url; it is a second stream of this one")
        return replace(sub, user=main.user, password=main.password)

    def _password(self) -> str:
        if self.password_file is None:
            return self.password.get_secret_value()
        return read_secret(self.password_file, "the file with the camera's password")


class StorageSettings(ProfilePart):
    """Where the record is kept in the room."""

    data: Path = Field(description="folder of the room's data")
    reserve_gib: float = Field(2.0, ge=0, description="a hearing is refused when less than this is free")
    copy_to: str = Field(
        "",
        alias="copy",
        description="second copy of the record: a folder or mounted disk, or the https address of a wutong copyserver",
    )
    segment_s: int = Field(60, ge=4, le=600, description="length of a file of the record in seconds")
    preroll_s: int = Field(0, ge=0, le=10, description="seconds before 宣布开庭 that become part of the record")


class SelfTestSettings(ProfilePart):
    """设备自检: every seat and camera proves itself before a hearing."""

    opening: Literal["required", "advise"] = Field(
        "advise", description="'required': a hearing without a passed test needs the clerk's explicit confirmation"
    )
    loudspeaker: str = Field(
        "", description="(part of) the name of the output device that plays the test tone; empty: each seat speaks"
    )
    valid_hours: int = Field(0, ge=0, le=168, description="how long a passed test counts; 0: until midnight")


class ProgramSettings(ProfilePart):
    """合成画面: the cameras and the exhibit composed into one 1080p track, while the machine can spare it."""

    enabled: bool = Field(False, description="true: the room has one track more, 'program'")
    fps: int = Field(12, ge=5, le=25, description="pictures a second; halved, then given up where that is too much")
    bitrate_kbps: int = Field(2500, ge=500, le=10_000, description="the most that the track may take")


class Panel(ProfilePart):
    """The room's own web server: panel and display."""

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 for screens on other machines")
    port: int = Field(8810, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    public_origin: list[PublicOrigin] = Field(
        [],
        max_length=50,
        description="what the address bar shows where a proxy is in front, without a path: https://room3.example",
    )
    api_token_file: Path | None = Field(
        None, description="file (mode 0600) with the token of a court's own systems that start, pause, stop and mute"
    )
    phrases: Path | None = Field(
        None, description="file (TOML) with the court's own set phrases; else phrases.toml in the data folder"
    )
    kinds: Path | None = Field(
        None, description="folder with the court's own kinds of case (TOML); else kinds in the data folder"
    )
    lock_after_minutes: int = Field(
        0, ge=0, le=240, description="so long untouched, the panel is locked by itself; 0: by touch alone"
    )
    struck: Literal["left-out", "shown"] = Field(
        "left-out",
        description="lines that the clerk struck: not in the documents of the transcript, or shown as deleted",
    )


class Profile(ProfilePart):
    """A courtroom."""

    room: Room
    seats: list[Seat] = Field(min_length=1, max_length=8)
    microphones: Microphones
    cameras: list[Camera] = Field(min_length=1, max_length=4)
    storage: StorageSettings
    selftest: SelfTestSettings = SelfTestSettings.model_construct()
    transcriber: Transcriber = Transcriber.model_construct()
    program: ProgramSettings = ProgramSettings.model_construct()
    panel: Panel = Panel.model_construct()
    signer: SignerSettings = SignerSettings.model_construct()
    center: CenterSettings = CenterSettings.model_construct()
    tls: RoomTls = RoomTls.model_construct()
    metrics: MetricsSettings = MetricsSettings.model_construct()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, names in (("seat", [s.id for s in self.seats]), ("camera", [c.id for c in self.cameras])):
            twice = {n for n in names if names.count(n) > 1}
            if twice:
                raise ValueError(f"two {what}s are called {twice.pop()}")
        channels = [s.channel for s in self.seats]
        if len(set(channels)) != len(channels):
            raise ValueError("two seats share a microphone channel")
        if max(channels) >= self.microphones.channels:
            raise ValueError(f"a seat uses channel {max(channels)}, but there are {self.microphones.channels} channels")
        if any(c.id.endswith(COMPATIBLE_SUFFIX) for c in self.cameras):
            raise ValueError(f"names that end with {COMPATIBLE_SUFFIX} are those of compatible tracks")
        taken = {MICROPHONES, MIX, PROGRAM, TILE} & {c.id for c in self.cameras}
        if taken:
            raise ValueError(f"{taken.pop()!r} is the name of another track; call the camera something else")
        return self

    @model_validator(mode="after")
    def _copy_can_be_made(self) -> Self:
        if self.storage.copy_to.startswith(("http://", "https://")):
            check_web_address(self.storage.copy_to)
        if self.storage.copy_to.startswith(("http://", "https://")) and self.center.token_file is None:
            raise ValueError("a copy on another machine needs center.token_file, the token that the machine knows")
        return self

    @model_validator(mode="after")
    def _drivers_have_what_they_need(self) -> Self:
        mics = self.microphones
        if mics.driver == "pyaudio" and not mics.device:
            raise ValueError("microphones with the driver pyaudio need 'device', (part of) a device's name")
        if mics.driver == "file" and mics.file is None:
            raise ValueError("microphones with the driver file need 'file'")
        if mics.driver == "file" and self.selftest.loudspeaker:
            raise ValueError("microphones with the driver file hear no loudspeaker; leave selftest.loudspeaker empty")
        for camera in self.cameras:
            needed = {"rtsp": camera.url, "v4l2": camera.device, "file": camera.file, "simulated": True}
            if not needed[camera.driver]:
                field = {"rtsp": "url", "v4l2": "device", "file": "file"}[camera.driver]
                raise ValueError(f"the camera {camera.id} with the driver {camera.driver} needs {field!r}")
            if camera.onvif_port and camera.driver != "rtsp":
                raise ValueError(f"the camera {camera.id} has a key frame each second and takes no 'onvif_port'")
            if camera.width % 2 or camera.height % 2:
                raise ValueError(f"the camera {camera.id} needs an even width and height")
        return self

    @property
    def policy(self) -> PlainPolicy:
        """Whether what is not encrypted may go on for now."""
        return PlainPolicy(self.tls.plain_until)

    @property
    def serves_tls(self) -> bool:
        """Whether panel and display are served by HTTPS."""
        return self.tls.loopback or not is_loopback(self.panel.host)

    def plain_wires(self) -> list[PlainWire]:
        """What would leave this machine without TLS. A time-stamp authority is asked about a hash alone."""
        return [*self.plain_to_center(), *plain_url("storage.copy", self.storage.copy_to), *self.plain_to_words()]

    def plain_to_center(self) -> list[PlainWire]:
        """Of those, what the uplink uses."""
        center = self.center
        found = plain_url("center.url", center.url)
        if center.url and not center.by_certificate:
            remedy = "set center.mqtt_tls = true and the port of the broker's TLS (8883)"
            setting = "center.brokers" if center.brokers else "center.mqtt_host"
            far = [place.host for place in center.broker_places if not place.is_local]
            found += [PlainWire(setting, host, remedy) for host in far]
        return found

    def plain_to_words(self) -> list[PlainWire]:
        """Of those, what the transcriber uses: what was said in the room would go over it."""
        return [wire for server in self.transcriber.servers for wire in plain_url("transcriber.servers", server)]

    @property
    def address(self) -> str:
        """`court/room`, as used in topics."""
        return f"{self.room.court}/{self.room.room}"


def load_profile(path: Path) -> Profile:
    """Read and check a profile; relative paths in it are relative to its folder. `ConfigError` says what is wrong."""
    profile = read_settings(path, Profile, "the profile", whole="profile")
    return _anchored(profile, path.resolve().parent)


def _copy_at(target: str, folder: Path) -> str:
    here = bool(target) and not target.startswith(("http://", "https://"))
    return str(folder / Path(target).expanduser()) if here else target


def _anchored(profile: Profile, folder: Path) -> Profile:
    def at(path: Path | None) -> Path | None:
        return None if path is None else folder / path.expanduser()

    storage, signer, center = profile.storage, profile.signer, profile.center
    return profile.model_copy(
        update={
            "storage": storage.model_copy(
                update={"data": at(storage.data), "copy_to": _copy_at(storage.copy_to, folder)}
            ),
            "microphones": profile.microphones.model_copy(update={"file": at(profile.microphones.file)}),
            "cameras": [
                c.model_copy(update={"file": at(c.file), "password_file": at(c.password_file)}) for c in profile.cameras
            ],
            "transcriber": profile.transcriber.below(folder),
            "panel": profile.panel.model_copy(
                update={
                    "api_token_file": at(profile.panel.api_token_file),
                    "phrases": at(profile.panel.phrases),
                    "kinds": at(profile.panel.kinds),
                }
            ),
            "signer": signer.model_copy(update={"module": at(signer.module), "pin_file": at(signer.pin_file)}),
            "center": center.model_copy(
                update={"token_file": at(center.token_file), "mqtt_password_file": at(center.mqtt_password_file)}
            ),
            "metrics": profile.metrics.below(folder),
        }
    )
