"""Where a room keeps what, below its data folder. One place, so that no two services disagree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CONVERTED = "converted.pdf"


def page_picture_name(page: int, scale: int) -> str:
    """The file of the picture of a page (from 1) at a scale (1, 2 or 4)."""
    return f"{page}@{scale}.jpg"


@dataclass(frozen=True)
class RoomPaths:
    """Paths below `storage.data` of a room's profile."""

    data: Path

    @property
    def clock(self) -> Path:
        """The room's epoch (sync.room.clock)."""
        return self.data / "clock.json"

    @property
    def log(self) -> Path:
        """The room's log (sync.room.event_log)."""
        return self.data / "room.db"

    def feed(self, service: str) -> Path:
        """The feed socket of `recorder`, `transcriber`, `edge` or `uplink`."""
        return self.data / "run" / f"{service}.sock"

    @property
    def phrases(self) -> Path:
        """The court's own set phrases, where the profile names no other file."""
        return self.data / "phrases.toml"

    @property
    def kinds(self) -> Path:
        """The court's own kinds of case, where the profile names no other folder."""
        return self.data / "kinds"

    @property
    def hearings(self) -> Path:
        """A folder for each hearing."""
        return self.data / "hearings"

    def hearing(self, hearing: str) -> Path:
        """The folder of a hearing; made by whoever comes first."""
        return self.hearings / hearing

    def track(self, hearing: str, track: str) -> Path:
        """Segments `00000.mp4`, their journals `00000.jsonl`, written by the recorder alone."""
        return self.hearing(hearing) / track

    def exhibits(self, hearing: str) -> Path:
        """Exhibit files, named `<sha256>`; written by the edge alone."""
        return self.hearing(hearing) / "exhibits"

    def pages(self, hearing: str, sha256: str) -> Path:
        """Pictures of the pages of an exhibit (`page_picture_name`), and what they were drawn from where that is not
        the file itself (`CONVERTED`); written by the edge alone."""
        return self.hearing(hearing) / "pages" / sha256

    @property
    def stage(self) -> Path:
        """`stage.json`: when the simulated devices of this room began to play (hardware.simulated)."""
        return self.data / "run" / "stage.json"

    @property
    def selftests(self) -> Path:
        """Test records of the self-test, a folder each; never part of a hearing, kept for one test at most."""
        return self.data / "selftest"

    @property
    def uploads(self) -> Path:
        """What has been uploaded so far; written by the uplink alone."""
        return self.data / "upload.db"

    @property
    def clerks(self) -> Path:
        """Who has signed in at the panel as a person, by the center's signed word (mode 0600); the edge's alone."""
        return self.data / "clerks.json"

    @property
    def access(self) -> Path:
        """Who may sign in at the panel; `codes.json` beside it has the codes in plain (mode 0600)."""
        return self.data / "access.json"

    @property
    def display_token(self) -> Path:
        """The read-only token of the room's display (mode 0600), one line."""
        return self.data / "display-token"

    @property
    def notices(self) -> Path:
        """What the center said last of the sight of the room's hearings."""
        return self.data / "notices.json"

    @property
    def docket(self) -> Path:
        """The last docket that the center sent, so that it survives an outage."""
        return self.data / "docket.json"

    @property
    def keys(self) -> Path:
        """Folder of what the center gave the device at enrollment (docs/integrity.md)."""
        return self.data / "keys"

    @property
    def signer(self) -> Path:
        """The signer's own folder, where no other was named (`wutong room signer --folder`); only it reads there."""
        return self.data / "signer"

    @property
    def signer_socket(self) -> Path:
        """Where the signer answers (sync.room.signer)."""
        return self.data / "run" / "signer.sock"

    @property
    def device_key(self) -> Path:
        """The device's private key (mode 0600) in the signer's folder of this data folder."""
        return self.signer / "device.key"

    @property
    def earlier_device_key(self) -> Path:
        """Where rooms had the device's key before there was a signer; the signer moves it once."""
        return self.keys / "device.key"

    @property
    def device_certificate(self) -> Path:
        """The device's certificate, by the center."""
        return self.keys / "device.pem"

    @property
    def center_key(self) -> Path:
        """The center's public key, as it was at enrollment."""
        return self.keys / "center.pem"

    @property
    def camera_places(self) -> Path:
        """Where each USB camera was plugged in; written by the recorder alone."""
        return self.data / "camera-places.json"

    @property
    def center_stamps(self) -> Path:
        """When the last of what the center says once was signed; written by the uplink alone."""
        return self.data / "center-stamps.json"

    @property
    def tls_key(self) -> Path:
        """The device's key for TLS (mode 0600): not the one that signs."""
        return self.keys / "tls.key"

    @property
    def tls_certificate(self) -> Path:
        """Its certificate, by the court's authority; renewed by the uplink."""
        return self.keys / "tls.pem"

    @property
    def authority(self) -> Path:
        """The certificate of the court's TLS authority, as it was at enrollment."""
        return self.keys / "authority.pem"

    @property
    def own_authority(self) -> Path:
        """A small authority of this room's own, for its panel while no court's authority has certified it."""
        return self.keys / "own"

    def token(self, hearing: str) -> Path:
        """The time-stamp token over the checkpoint of the hearing's last seal."""
        return self.hearing(hearing) / "seal.tsr"
