"""The second copy: a folder, a disk that goes away and comes back, another machine."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hardware.profile import load_profile
from recorder.second_copy.folder_target import MARKER, AwayError, CopyFolder, DamagedError
from recorder.second_copy.worker import Copier, CopyOptions
from server.copyserver import running
from sync.errors import ConfigError
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.tls.authority import open_authority
from tests.support.peers.tls_court import served_by, utc_now
from tests.support.rooms.recorder_room import RecorderRoom, profile_text
from tests.support.rooms.signer_peer import signing

RoomOf = Callable[..., RecorderRoom]
HEARING = "20261122-093000-00c0ffee"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "backup").mkdir()
    return tmp_path / "backup"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "00000.mp4"
    path.write_bytes(os.urandom(3_000_000))
    return path


def copies(target: Path, tmp_path: Path) -> CopyFolder:
    return CopyFolder(target, "jianshan/3", tmp_path / "copy.json", bytes_per_s=1_000_000_000)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    point = tmp_path / "disk"
    point.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(point)], capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield point
    subprocess.run(["umount", "-l", str(point)], capture_output=True)


def test_a_file_is_copied_whole_and_once(target: Path, source: Path, tmp_path: Path) -> None:
    folder = copies(target, tmp_path)
    assert folder.poll()
    assert not folder.poll()
    digest = sha256(source.read_bytes())
    folder.put(source, HEARING, "bench/00000.mp4", digest)
    copy = target / "jianshan/3" / HEARING / "bench/00000.mp4"
    assert copy.read_bytes() == source.read_bytes()
    before = copy.stat().st_mtime_ns
    folder.put(source, HEARING, "bench/00000.mp4", digest)
    assert copy.stat().st_mtime_ns == before
    assert [p.name for p in copy.parent.iterdir()] == ["00000.mp4"]


def test_a_file_that_is_not_what_the_log_says_is_not_passed_off_as_a_copy(
    target: Path, source: Path, tmp_path: Path
) -> None:
    folder = copies(target, tmp_path)
    digest = sha256(source.read_bytes())
    with source.open("r+b") as file:
        file.write(b"x")
    with pytest.raises(DamagedError, match="校验值不符"):
        folder.put(source, HEARING, "bench/00000.mp4", digest)
    with pytest.raises(DamagedError, match="读不出来"):
        folder.put(tmp_path / "gone.mp4", HEARING, "bench/00001.mp4", digest)
    with pytest.raises(DamagedError, match="不在庭审文件夹"):
        folder.put(source, HEARING, "../../../stolen", digest)
    assert not (target / "jianshan/3" / HEARING / "bench/00000.mp4").exists()


def test_a_copy_that_was_damaged_is_made_anew_and_the_damaged_one_is_kept(
    target: Path, source: Path, tmp_path: Path
) -> None:
    folder = copies(target, tmp_path)
    digest = sha256(source.read_bytes())
    folder.put(source, HEARING, "bench/00000.mp4", digest)
    copy = target / "jianshan/3" / HEARING / "bench/00000.mp4"
    copy.write_bytes(b"damaged")
    folder.put(source, HEARING, "bench/00000.mp4", digest)
    assert copy.read_bytes() == source.read_bytes()
    (other,) = copy.parent.glob("*.other")
    assert other.read_bytes() == b"damaged"


def test_an_empty_mount_point_is_not_the_disk(small_disk: Path, source: Path, tmp_path: Path) -> None:
    folder = copies(small_disk, tmp_path)
    assert folder.poll()
    subprocess.run(["umount", str(small_disk)], check=True)
    with pytest.raises(AwayError, match="备份盘未接入"):
        folder.poll()
    assert list(small_disk.iterdir()) == []


def test_a_full_disk_is_said_and_what_is_on_it_stays(small_disk: Path, tmp_path: Path) -> None:
    folder = copies(small_disk, tmp_path)
    folder.poll()
    for index in range(3):
        path = tmp_path / f"{index}.mp4"
        path.write_bytes(os.urandom(3_000_000))
        if index < 2:
            folder.put(path, HEARING, f"bench/{index:05d}.mp4", sha256(path.read_bytes()))
        else:
            with pytest.raises(AwayError, match="已满"):
                folder.put(path, HEARING, f"bench/{index:05d}.mp4", sha256(path.read_bytes()))
    names = sorted(p.name for p in (small_disk / "jianshan/3" / HEARING / "bench").glob("*.mp4"))
    assert names == ["00000.mp4", "00001.mp4"]


def test_another_folder_without_its_marker_is_not_filled_by_mistake(target: Path, source: Path, tmp_path: Path) -> None:
    copies(target, tmp_path).poll()
    (target / MARKER).unlink()
    with pytest.raises(AwayError, match="不是原来的那一个"):
        copies(target, tmp_path).poll()
    with pytest.raises(AwayError, match="不存在或未接入"):
        copies(tmp_path / "nowhere", tmp_path).poll()


def hearing_in(data: Path, log: RoomLog) -> bytes:
    """A hearing with one segment and one exhibit, closed."""
    media, paper = os.urandom(400_000), b"%PDF-1.4 paper"
    for file, content in (("bench/00000.mp4", media), (f"exhibits/{sha256(paper)}", paper)):
        path = data / "hearings" / HEARING / file
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    span = {"from_ns": 0, "to_ns": 1, "fragments": 1, "mime": "video/mp4"}
    segment = {"track": "bench", "index": 0, "file": "bench/00000.mp4", "bytes": len(media), "sha256": sha256(media)}
    exhibit = {"id": "e", "number": 1, "title": "借条", "filename": "a.pdf", "media_type": "application/pdf"}
    exhibit |= {"sha256": sha256(paper), "bytes": len(paper), "pages": 1}
    for kind, body in (("open", {}), ("segment", segment | span), ("exhibit", exhibit), ("close", {})):
        log.append(kind, body, hearing=HEARING, room_ns=1, utc_ns=1)
    return media


def whole_copy(root: Path, media: bytes, log: RoomLog) -> bool:
    files = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    logs = [data for name, data in files.items() if name.startswith("log/") and name.endswith(".jsonl")]
    if len(files) < 3 or not logs:
        return False
    assert files["bench/00000.mp4"] == media
    assert [json.loads(line) for line in logs[0].splitlines()] == [e.to_json() for e in log.of_hearing(HEARING)]
    return True


def test_what_was_copied_is_known_after_a_restart_and_a_new_disk_gets_everything(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("recorder.second_copy.worker.SETTLED_S", 0.0)
    data = tmp_path / "data"
    data.mkdir()
    log = RoomLog(data / "room.db")
    media = hearing_in(data, log)
    options = CopyOptions(data=data, room="jianshan/3", target=str(target))
    folder = CopyFolder(target, "jianshan/3", data / "copy.json")
    first = Copier(options)
    first.scan()
    assert first.store.pending() == (3, first.store.pending_bytes())
    first.copy_once(folder)
    assert whole_copy(target / "jianshan/3" / HEARING, media, log)
    assert first.store.pending() == (0, 0)
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"pending_files": 0, "pending_bytes": 0, "why": None}
    first.close()

    again = Copier(options)
    again.scan()
    assert again.store.pending() == (0, 0)

    (target / MARKER).write_text("another disk")
    assert folder.poll()
    again.store.forget_stored()
    assert again.store.pending()[0] == 3
    again.close()
    log.close()


async def test_another_machine_keeps_what_its_tokens_cover_and_shows_nothing(tmp_path: Path) -> None:
    """By HTTPS, with a certificate of the court's authority, which the room knows from its enrollment; what is claimed
    is signed by the room's device, which that machine knows."""
    tokens, device = tmp_path / "tokens", Ed25519PrivateKey.generate()
    key = base64.b64encode(device.public_key().public_bytes_raw()).decode()
    tokens.write_text(f"# rooms\njianshan/3 secret-of-three {key}\njianshan/4 secret-of-four\n")
    tokens.chmod(0o600)
    data, kept = tmp_path / "data", tmp_path / "kept"
    data.mkdir()
    log = RoomLog(data / "room.db")
    media = hearing_in(data, log)
    court = open_authority(tmp_path / "court", "Court", utc_now())
    tls = served_by(court, tmp_path, "127.0.0.1")
    RoomPaths(data).keys.mkdir()
    RoomPaths(data).authority.write_bytes(court.pem)
    with signing(RoomPaths(data), "jianshan/3", key=device):
        await _copied_to(kept, tokens, tls, data, log, media)
    log.close()


async def _copied_to(kept: Path, tokens: Path, tls: tuple[Path, Path], data: Path, log: RoomLog, media: bytes) -> None:
    async with running(kept, tokens, "127.0.0.1", 0, tls) as port:
        said: list[dict[str, Any]] = []
        processes = []
        for room, token in (("jianshan/3", "secret-of-three"), ("jianshan/3", "secret-of-four")):
            options = CopyOptions(data=data, room=room, target=f"https://127.0.0.1:{port}")
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "recorder.second_copy.worker", options.model_dump_json()),
                env={**os.environ, "WUTONG_COPY_TOKEN": token},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            processes.append(process)
            try:
                async with asyncio.timeout(60):
                    assert process.stdout is not None
                    while not said or said[-1]["pending_files"] or not whole_copy(kept / room / HEARING, media, log):
                        said.append(json.loads(await process.stdout.readline()))
                        if token == "secret-of-four" and said[-1]["why"]:
                            break
            finally:
                process.kill()
                await process.wait()
            if token == "secret-of-three":
                assert said[-1]["why"] is None
                (data / "copy.db").unlink()
                log.append("mark", {"id": "m", "kind": "note", "text": "late"}, hearing=HEARING, room_ns=9, utc_ns=9)
                said.clear()
        assert said[-1]["why"]
        assert not (kept / "jianshan/4").exists()


def test_a_copy_on_another_machine_needs_a_token(tmp_path: Path) -> None:
    text = profile_text().replace("reserve_gib", 'copy = "https://backup.example"\nreserve_gib')
    (tmp_path / "room.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"center\.token_file"):
        load_profile(tmp_path / "room.toml")


async def test_the_recorder_copies_while_it_records_and_says_when_it_cannot(room_of: RoomOf, tmp_path: Path) -> None:
    room = room_of(profile_text(segment_s=4).replace("reserve_gib", 'copy = "backup"\nreserve_gib'))
    await room.until(lambda: any(a["code"] == "copy" for a in room.status.get("alarms", [])), "the alarm")
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.until(lambda: len(room.view().segments) >= 3, "segments")
    await room.until(lambda: room.status["copy"]["pending_files"] >= 3, "they wait")
    (tmp_path / "backup").mkdir()
    await room.until(lambda: not any(a["code"] == "copy" for a in room.status["alarms"]), "the alarm is over")
    (copier,) = room.workers("recorder.second_copy.worker")
    os.kill(copier, signal.SIGKILL)  # it is started again, and goes on
    room.say("close")
    view = await room.closed("bench", "mics", "mix")
    root = tmp_path / "backup/jianshan/3" / room.hearing
    await room.until(
        lambda: room.status["copy"]["pending_files"] == 0 and list(root.glob("log/*.jsonl")), "everything is copied"
    )
    for segment in view.segments:
        assert sha256((root / segment.file).read_bytes()) == segment.sha256
    assert any(a.code == "copy" and a.cleared_ns is not None for a in room.view().alarms)
