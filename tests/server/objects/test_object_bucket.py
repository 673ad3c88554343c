"""A bucket keeps what a folder keeps: files by their content, once, whole or not at all, and locked if wanted."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from botocore import exceptions as boto

from server.objects.bucket_file import AHEAD_BYTES, MOST_BYTES, BucketFile
from server.objects.bucket_parts import PART_BYTES, part_bytes
from server.objects.object_bucket import ObjectBucket
from server.objects.object_folder import ObjectFolder
from server.objects.object_store import ObjectStore
from sync.runtime.files.digests import checks_of
from tests.support.peers.seaweed_server import SeaweedServer, opened_bucket

LARGE = PART_BYTES * 2 + 12_345


def made(folder: Path, size: int, seed: int = 1) -> tuple[Path, str]:
    """A file of so many bytes, and its hash."""
    data = random.Random(seed).randbytes(size)
    path = folder / f"upload-{seed}-{size}"
    path.write_bytes(data)
    return path, hashlib.sha256(data).hexdigest()


@pytest.fixture
def store(seaweed: SeaweedServer, bucket: str, tmp_path: Path) -> ObjectBucket:
    return opened_bucket(seaweed.settings(bucket), tmp_path / "half-sent")


@pytest.mark.parametrize("size", [0, AHEAD_BYTES + 7, LARGE])
@pytest.mark.parametrize("where", ["bucket", "folder"])
def test_what_is_taken_is_there_and_is_read_by_stretches(
    seaweed: SeaweedServer, bucket: str, tmp_path: Path, size: int, where: str
) -> None:
    folder = ObjectFolder(tmp_path / "objects")
    store: ObjectStore = opened_bucket(seaweed.settings(bucket), tmp_path) if where == "bucket" else folder
    path, sha256 = made(tmp_path, size)
    assert not store.has(sha256, size)
    assert not store.file(sha256).is_file()
    for known in (None, sha256):
        assert store.take(path, sha256, size, known)
    assert store.has(sha256, size)
    assert not store.has(sha256, size + 1)
    assert list(store.names()) == [(sha256, size)]
    file = store.file(sha256)
    assert file.stat().st_size == size
    assert file.name == sha256
    assert checks_of(file).sha256 == sha256
    data = path.read_bytes()
    with file.open("rb") as opened:
        for start, length in ((0, 10), (size // 2, 1000), (max(0, size - 5), 99), (size, 4), (0, size)):
            opened.seek(start)
            assert opened.read(length) == data[start : start + length]
        assert opened.seek(0, 2) == size


def test_objects_of_a_bucket_lie_by_their_content_below_what_names_them(
    seaweed: SeaweedServer, bucket: str, tmp_path: Path
) -> None:
    store = opened_bucket(seaweed.settings(bucket, prefix="court/"), tmp_path)
    path, sha256 = made(tmp_path, 10)
    assert store.take(path, sha256, 10)
    assert seaweed.keys(bucket) == [f"court/objects/{sha256[:2]}/{sha256}"]
    assert path.exists(), "whoever is interrupted before the object is noted finds the upload again"


@pytest.mark.parametrize("size", [1000, LARGE])
def test_what_is_not_the_claimed_content_never_becomes_an_object(
    seaweed: SeaweedServer, bucket: str, store: ObjectBucket, tmp_path: Path, size: int
) -> None:
    path, sha256 = made(tmp_path, size)
    _, other = made(tmp_path, size, seed=2)
    assert not store.take(path, other, size)
    assert not store.take(path, other, size, other), "the hash that came along was of other bytes than the disk has now"
    assert not store.take(path, sha256, size + 1)
    assert seaweed.keys(bucket) == seaweed.half_sent(bucket) == []
    with pytest.raises(FileNotFoundError):
        store.take(tmp_path / "none", sha256, size)


@pytest.mark.parametrize("size", [1000, LARGE])
def test_the_same_file_at_one_moment_is_one_object(
    seaweed: SeaweedServer, bucket: str, store: ObjectBucket, tmp_path: Path, size: int
) -> None:
    path, sha256 = made(tmp_path, size)
    store.look()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: store.take(path, sha256, size, sha256), range(4))) == [True] * 4
    assert len(seaweed.keys(bucket)) == 1
    assert seaweed.half_sent(bucket) == []
    assert checks_of(store.file(sha256)).sha256 == sha256


def test_other_bytes_in_the_place_of_an_object_are_found_and_replaced(
    seaweed: SeaweedServer, bucket: str, store: ObjectBucket, tmp_path: Path
) -> None:
    path, sha256 = made(tmp_path, 1000)
    key = f"objects/{sha256[:2]}/{sha256}"
    for wrong in (b"short", os.urandom(1000)):
        seaweed.client().put_object(Bucket=bucket, Key=key, Body=wrong)
        assert store.take(path, sha256, 1000)
        assert checks_of(store.file(sha256)).sha256 == sha256


def test_an_object_is_read_by_bounded_requests(
    seaweed: SeaweedServer, bucket: str, store: ObjectBucket, tmp_path: Path
) -> None:
    path, sha256 = made(tmp_path, LARGE)
    assert store.take(path, sha256, LARGE)
    asked: list[int] = []

    def fetched(name: str, start: int, end: int) -> bytes:
        asked.append(end - start)
        return store.read(name, start, end)

    with BucketFile(sha256, fetched, store.size).open("rb") as opened:
        assert len(opened.read(LARGE)) == LARGE
    assert max(asked) <= MOST_BYTES
    with pytest.raises(FileNotFoundError):
        store.read("0" * 64, 0, 10)


def test_parts_are_as_many_as_a_store_takes() -> None:
    assert part_bytes(LARGE) == PART_BYTES
    for size in (PART_BYTES * 10_000, PART_BYTES * 10_000 + 1, 1 << 40):
        assert -(-size // part_bytes(size)) <= 10_000


def test_an_object_is_locked_and_held_longer_when_it_is_stored_again(seaweed: SeaweedServer, tmp_path: Path) -> None:
    bucket, now = seaweed.new_bucket(lock=True), dt.datetime.now(dt.UTC)
    settings = seaweed.settings(bucket, lock="governance", retention_days=30)
    client = seaweed.client()
    for size in (100, LARGE):
        path, sha256 = made(tmp_path, size)
        key = f"objects/{sha256[:2]}/{sha256}"

        def held(key: str = key) -> dt.timedelta:
            until = client.head_object(Bucket=bucket, Key=key)["ObjectLockRetainUntilDate"]
            return dt.timedelta(seconds=(until - now).total_seconds())

        first = opened_bucket(settings, tmp_path)
        first.look()
        assert (first.lacks, first.wants) == ("", "")
        assert first.take(path, sha256, size)
        assert dt.timedelta(days=29) < held() < dt.timedelta(days=31)
        version = client.head_object(Bucket=bucket, Key=key)["VersionId"]
        with pytest.raises(boto.ClientError):
            client.delete_object(Bucket=bucket, Key=key, VersionId=version)
        later = opened_bucket(settings, tmp_path, utc_now=lambda: now + dt.timedelta(days=20))
        assert later.take(path, sha256, size)
        assert held() > dt.timedelta(days=49)
        assert first.take(path, sha256, size)
        assert held() > dt.timedelta(days=49), "never shorter"


def test_a_bucket_without_locks_is_used_and_says_so(seaweed: SeaweedServer, bucket: str, tmp_path: Path) -> None:
    store = opened_bucket(seaweed.settings(bucket, lock="compliance"), tmp_path)
    assert store.wants == ""
    store.look()
    assert "未启用对象锁定" in store.wants
    assert store.lacks == ""
    path, sha256 = made(tmp_path, 10)
    assert store.take(path, sha256, 10)


def test_looking_leaves_nothing_in_a_bucket(seaweed: SeaweedServer, bucket: str, store: ObjectBucket) -> None:
    store.look()
    assert store.lacks == ""
    assert seaweed.keys(bucket) == seaweed.half_sent(bucket) == []


def test_a_link_opens_one_object_for_seconds_as_a_download_and_only_where_it_is_wanted(
    seaweed: SeaweedServer, bucket: str, store: ObjectBucket, tmp_path: Path
) -> None:
    path, sha256 = made(tmp_path, 100)
    assert store.take(path, sha256, 100)
    assert store.link(sha256, "笔录.pdf") is None
    link = opened_bucket(seaweed.settings(bucket, link_s=60), tmp_path).link(sha256, "笔录.pdf")
    assert link is not None
    answer = httpx.get(link, trust_env=False)
    assert (answer.status_code, answer.content) == (200, path.read_bytes())
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert httpx.URL(link).params["X-Amz-Expires"] == "60"
    assert httpx.get(link.replace(sha256, "0" * 64), trust_env=False).status_code == 403, "for this object alone"
    with pytest.raises(ValueError, match="link_s"):
        seaweed.settings(bucket, link_s=61)
