"""Fixtures: honest exports, made once for a session, and forgeries of them."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.ledger.token import request_of
from tests.attacks.forge_folder import Forgery
from tests.support.exports.honest_room import OPENED_UTC_NS, Center, HonestRoom, Media, S, Story, make_media
from tests.support.exports.signed_words import write_and_sign
from tests.support.peers.tsa import Authority
from wutong.export.bundle import export
from wutong.export.sources.room import RoomSource

HEARING = "20240302-093000-aaaa0001"
Forge = Callable[..., Forgery]
HonestExports = Callable[[str], "Honest"]


@dataclass
class Honest:
    """A room that held a hearing, and its export."""

    data: Path
    folder: Path
    device: Ed25519PrivateKey


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """In memory where there is some: every fragment and file of an honest hearing is synced."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="wutong-attacks-", dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def media(place: Path) -> dict[str, Media]:
    (place / "media").mkdir()
    return make_media(place / "media")


@pytest.fixture(scope="session")
def center() -> Center:
    return Center(Ed25519PrivateKey.generate())


@pytest.fixture(scope="session")
def honest(place: Path, request: pytest.FixtureRequest, media: dict[str, Media], center: Center) -> HonestExports:
    """`honest(name)`: whole, gaps, pause, unsealed, alone (no center), old (the certificate has expired since),
    late (it had expired before), excerpt, stamped, signed (revised and signed after the seal)."""
    made: dict[str, Honest] = {}
    stories = {
        "gaps": Story(lost=(5.0, 6.2)),
        "pause": Story(pause=(4.0, 6.0, "recess")),
        "unsealed": Story(seal=False),
        "other": Story(shift_s=1),
        "open": Story(close=False, seal=False),
        "played": Story(pause=(4.0, 6.0, "recess"), lost=(7.0, 7.5)),
    }
    years = {"old": 1825 - 7, "late": 1825 + 7}

    def make(name: str) -> Honest:
        if name in made:
            return made[name]
        root = place / name
        issued = None
        if name in years:
            issued = dt.datetime.fromtimestamp(OPENED_UTC_NS / S, dt.UTC) - dt.timedelta(days=years[name])
        room = HonestRoom(root / "data", HEARING, None if name == "alone" else center, issued)
        room.hold(media, stories.get(name, Story()))
        if name == "signed":
            write_and_sign(room)
        if name == "stamped":
            last = room.checkpoints.last(HEARING)
            assert last is not None
            text = last.note.split("\n\n")[0] + "\n"
            authority: Authority = request.getfixturevalue("authority")  # only now: its keys take a second
            room.checkpoints.stamped(HEARING, last.size, authority.reply(request_of(text)))
        room.close()
        source = RoomSource(root / "data", HEARING)
        stretch = (round(0.2 * S), round(3.5 * S)) if name == "excerpt" else None
        export(source, root / "out", stretch=stretch, people=name in ("whole", "played"))
        source.close()
        made[name] = Honest(root / "data", root / "out", room.device)
        return made[name]

    return make


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture
def forge(honest: HonestExports, center: Center, place: Path, request: pytest.FixtureRequest) -> Forge:
    """A copy of an honest export."""
    numbers = itertools.count()
    folder = place / hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]

    def copy(name: str = "whole") -> Forgery:
        made = honest(name)
        return Forgery(made.folder, folder / f"{name}-{next(numbers)}", center, made.device)

    return copy
