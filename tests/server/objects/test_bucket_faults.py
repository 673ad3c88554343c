"""A store that answers 503, is slow, cuts the line, has another clock, other keys or no bucket: said in words, nothing
counted as stored, nothing doubled, nothing half there."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from server.bucket_settings import BucketSettings
from server.objects.bucket_client import new_client
from server.objects.bucket_parts import PART_BYTES
from server.objects.object_bucket import PAUSE_S, ObjectBucket
from sync.errors import StorageError
from sync.runtime.files.digests import checks_of
from tests.server.objects.test_object_bucket import LARGE, made
from tests.support.peers.faulty_line import FaultyLine
from tests.support.peers.seaweed_server import SeaweedServer, opened_bucket


class Line:
    """A bucket behind a line that has faults."""

    def __init__(self, seaweed: SeaweedServer, bucket: str, line: FaultyLine, port: int, folder: Path) -> None:
        self.seaweed = seaweed
        self.bucket = bucket
        self.line = line
        self.folder = folder
        self.settings = seaweed.settings(bucket, endpoint=f"http://127.0.0.1:{port}")
        self.now_s = 0.0
        self.store = self.opened()

    def opened(self, *, answer_s: float = 10.0) -> ObjectBucket:
        client = new_client(self.settings, answer_s=answer_s)
        return ObjectBucket(self.settings, client, self.folder / "half-sent", monotonic_s=lambda: self.now_s)

    async def take(self, path: Path, sha256: str) -> bool:
        return await asyncio.to_thread(self.store.take, path, sha256, path.stat().st_size)

    async def refused(self, path: Path, sha256: str) -> str:
        with pytest.raises(StorageError) as caught:
            await self.take(path, sha256)
        assert caught.value.code == "storage", "507: the room tries again"
        assert "未被确认" in caught.value.message
        assert self.store.lacks
        return str(caught.value.message)

    async def nothing_is_there(self) -> None:
        assert await asyncio.to_thread(self.seaweed.keys, self.bucket) == []

    async def only(self, sha256: str) -> None:
        """The object, whole, and nothing half sent beside it."""
        self.now_s += PAUSE_S
        await asyncio.to_thread(self.store.look)
        assert self.store.lacks == ""
        assert await asyncio.to_thread(self.seaweed.keys, self.bucket) == [f"objects/{sha256[:2]}/{sha256}"]
        assert await asyncio.to_thread(self.seaweed.half_sent, self.bucket) == []
        assert (await asyncio.to_thread(checks_of, self.store.file(sha256))).sha256 == sha256


@pytest.fixture(autouse=True)
def tries_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library tries again at once: how often is its own, how long it waits in between is no matter here."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@pytest_asyncio.fixture
async def faulty(seaweed: SeaweedServer, bucket: str, tmp_path: Path) -> AsyncIterator[Line]:
    line = FaultyLine(seaweed.port)
    async with line.running() as port:
        yield Line(seaweed, bucket, line, port, tmp_path)


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (503, "SlowDown", "无法处理请求"),
        (507, "InsufficientStorage", "已满"),
        (403, "AccessDenied", "密钥"),
        (400, "BadDigest", "途中损坏"),
        (418, "Teapot", "日志"),
    ],
)
async def test_a_store_that_refuses_is_quoted_in_words_and_asked_again_later(
    faulty: Line, tmp_path: Path, status: int, code: str, says: str
) -> None:
    path, sha256 = made(tmp_path, 1000)
    await asyncio.to_thread(faulty.store.look)
    faulty.line.refuses, faulty.line.refused = (status, code), re.compile(b"^PUT")
    faulty.line.requests.clear()
    assert says in await faulty.refused(path, sha256)
    assert len([one for one in faulty.line.requests if one.startswith(b"PUT")]) <= 3, "its own tries are bounded"
    await faulty.nothing_is_there()
    faulty.line.refuses = None
    assert await faulty.take(path, sha256)
    await faulty.only(sha256)


@pytest.mark.parametrize("size", [PART_BYTES - 1, LARGE])
async def test_a_line_that_is_cut_in_the_middle_of_a_part_leaves_nothing_and_the_next_try_is_whole(
    faulty: Line, tmp_path: Path, size: int
) -> None:
    path, sha256 = made(tmp_path, size)
    await asyncio.to_thread(faulty.store.look)
    faulty.line.cut_up_at = PART_BYTES // 2
    assert "中断" in await faulty.refused(path, sha256)
    await faulty.nothing_is_there()
    faulty.line.cut_up_at = None
    assert await faulty.take(path, sha256)
    await faulty.only(sha256)


@pytest.mark.parametrize("lost", [rb"^PUT .*partNumber=2", rb"^POST .*uploadId", rb"^PUT (?!.*partNumber)"])
async def test_an_answer_that_is_lost_doubles_nothing(faulty: Line, tmp_path: Path, lost: bytes) -> None:
    size = 1000 if b"(?!" in lost else LARGE
    path, sha256 = made(tmp_path, size)
    await asyncio.to_thread(faulty.store.look)
    faulty.line.loses = re.compile(lost)
    await faulty.refused(path, sha256)
    faulty.line.loses = None
    assert await faulty.take(path, sha256)
    await faulty.only(sha256)


async def test_a_store_that_does_not_answer_holds_up_who_asks_once_and_the_others_not_at_all(
    faulty: Line, tmp_path: Path
) -> None:
    path, sha256 = made(tmp_path, 1000)
    faulty.store = faulty.opened(answer_s=0.2)
    faulty.line.answers.clear()
    assert "应答太慢" in await faulty.refused(path, sha256)
    lines = faulty.line.lines
    assert "应答太慢" in await faulty.refused(path, sha256)
    with pytest.raises(StorageError) as caught:
        await asyncio.to_thread(faulty.store.read, sha256, 0, 10)
    assert caught.value.code == "busy"
    assert faulty.line.lines == lines, "nobody was asked again"
    faulty.line.answers.set()
    faulty.now_s += PAUSE_S
    assert await faulty.take(path, sha256)
    await faulty.only(sha256)


async def test_what_is_read_is_whole_or_an_error(faulty: Line, tmp_path: Path) -> None:
    path, sha256 = made(tmp_path, LARGE)
    assert await faulty.take(path, sha256)
    faulty.line.cut_down_at = 100_000
    with pytest.raises(StorageError, match="中断"):
        await asyncio.to_thread(checks_of, faulty.store.file(sha256))
    faulty.line.cut_down_at = None
    assert (await asyncio.to_thread(checks_of, faulty.store.file(sha256))).sha256 == sha256


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ({"endpoint": "http://127.0.0.1:9"}, "连接不上"),
        ({"bucket": "no-such-bucket-anywhere"}, "存储桶不存在"),
        ({"keys": "center another-secret"}, "密钥"),
        ({"keys": "stranger a-secret-of-the-tests"}, "密钥"),
        ({"tls": ""}, "证书不可信"),
    ],
)
def test_a_wrong_setting_is_named(
    seaweed: SeaweedServer, bucket: str, tmp_path: Path, what: dict[str, str], says: str
) -> None:
    said = seaweed.settings(bucket).model_dump() | {
        key: value for key, value in what.items() if key in ("endpoint", "bucket")
    }
    if "tls" in what:
        said["endpoint"] = f"https://127.0.0.1:{seaweed.port}"
    if "keys" in what:
        keys = tmp_path / "keys"
        keys.write_text(what["keys"].replace(" ", "\n"))
        keys.chmod(0o600)
        said["keys_file"] = keys
    store = opened_bucket(BucketSettings.model_validate(said), tmp_path / "half-sent")
    path, sha256 = made(tmp_path, 1000)
    with pytest.raises(StorageError, match=says):
        store.take(path, sha256, 1000)
    store.look()
    assert says in store.lacks
    assert "secret" not in store.lacks


def test_a_clock_that_differs_is_named(
    seaweed: SeaweedServer, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened_bucket(seaweed.settings(bucket), tmp_path / "half-sent")
    path, sha256 = made(tmp_path, 1000)
    late = dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)
    with monkeypatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: late.replace(tzinfo=None))
        patch.setattr("time.time", late.timestamp)
        with pytest.raises(StorageError, match="时钟"):
            store.take(path, sha256, 1000)
        store.look()
        assert "时钟" in store.lacks
    assert store.take(path, sha256, 1000)
    store.look()
    assert store.lacks == ""


KILLED = """
import sys
from pathlib import Path
from server.bucket_settings import BucketSettings
from server.objects.bucket_client import new_client
from server.objects.object_bucket import ObjectBucket
settings, notes, path, sha256 = sys.argv[1:]
said = BucketSettings.model_validate_json(settings)
ObjectBucket(said, new_client(said), Path(notes)).take(Path(path), sha256, Path(path).stat().st_size, sha256)
"""


async def test_what_a_killed_center_left_half_sent_is_taken_away_by_the_next(faulty: Line, tmp_path: Path) -> None:
    path, sha256 = made(tmp_path, LARGE)
    faulty.line.held = re.compile(rb"^PUT .*partNumber=2")
    faulty.line.answers.clear()
    words = [faulty.settings.model_dump_json(), str(tmp_path / "half-sent"), str(path), sha256]
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, *words, stderr=subprocess.DEVNULL)
    async with asyncio.timeout(60):
        while not any(b"partNumber=2" in one for one in faulty.line.requests):
            await asyncio.sleep(0.02)
    child.kill()
    await child.wait()
    faulty.line.answers.set()
    assert await asyncio.to_thread(faulty.seaweed.half_sent, faulty.bucket) == [f"objects/{sha256[:2]}/{sha256}"]
    await faulty.nothing_is_there()
    for name, text in (("cut.json.new", '{"key": "x"'), ("odd.json", json.dumps([1]))):
        (tmp_path / "half-sent" / name).write_text(text)
    await asyncio.to_thread(faulty.store.look)
    assert await asyncio.to_thread(faulty.seaweed.half_sent, faulty.bucket) == []
    assert list((tmp_path / "half-sent").iterdir()) == []
    assert await faulty.take(path, sha256)
    await faulty.only(sha256)


async def test_what_is_being_sent_is_not_taken_away_and_what_nobody_remembers_is(
    faulty: Line, seaweed: SeaweedServer, tmp_path: Path
) -> None:
    client = await asyncio.to_thread(seaweed.client)
    await asyncio.to_thread(client.create_multipart_upload, Bucket=faulty.bucket, Key="objects/forgotten")
    path, sha256 = made(tmp_path, LARGE)
    taking = asyncio.create_task(faulty.take(path, sha256))
    async with asyncio.timeout(60):
        await faulty.line.sent.wait()
    await asyncio.to_thread(faulty.store.look)
    another = opened_bucket(faulty.settings, tmp_path / "half-sent")  # of another process of the same center
    await asyncio.to_thread(another.look)
    assert await taking
    assert await asyncio.to_thread(seaweed.half_sent, faulty.bucket) == ["objects/forgotten"], "it may be another's"
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1, hours=1)
    later = opened_bucket(faulty.settings, tmp_path / "other", utc_now=lambda: tomorrow)
    await asyncio.to_thread(later.look)
    await faulty.only(sha256)
