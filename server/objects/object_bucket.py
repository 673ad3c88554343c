"""Objects in a bucket of an S3-compatible store, `objects/ab/abcdef…`, named by their content.

Promises: `take` returns True only when the store has every byte: what it says of the object's SHA-256 is compared, and
where it does not check what it is told, the object is read back whole. No half object is ever seen. What is read is
bounded, and all of it or an error. While the store does not answer, whoever asks is told so at once and not after the
time that it takes to find out. Objects are locked against being deleted where that is wanted and offered.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import structlog
from urllib3.exceptions import IncompleteRead

from server.bucket_settings import BucketSettings
from server.objects.bucket_file import MOST_BYTES, BucketFile
from server.objects.bucket_parts import BucketParts, checksum_of
from server.objects.bucket_refusals import (
    MISSING,
    REFUSED,
    SPOILT_WORDS,
    BucketRefusedError,
    Doing,
    code_of,
    refused,
    status_of_answer,
    words_of_bucket,
)
from sync.errors import StorageError

log = structlog.get_logger(__name__)

PAUSE_S = 3.0
"""So long nobody waits for a store that has just not answered."""
KNOWN_SIZES = 20_000
_NAME = re.compile(r"[0-9a-f]{64}")
_NO_LOCK = (
    "ObjectLockConfigurationNotFoundError",
    "NoSuchObjectLockConfiguration",
    "NotImplemented",
    "MethodNotAllowed",
    "404",
    "405",
    "501",
)
_PROBE = "probe"
_DAY = dt.timedelta(days=1)
_NOT_LOCKED = (
    "存储桶未启用对象锁定，文件存入时未加锁 (the bucket offers no object lock, and files are stored without one: "
    "a bucket has to be made with it)"
)


@dataclass(frozen=True, slots=True)
class _Offers:
    lock: bool
    """Objects can be locked."""
    checks: bool
    """What is said of an object's SHA-256 is compared with its bytes."""


class ObjectBucket:
    """An `ObjectStore`. Its methods may be called in several threads."""

    def __init__(
        self,
        settings: BucketSettings,
        client: Any,
        notes: Path,
        *,
        utc_now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`client`: `server.objects.bucket_client.new_client`. `notes`: a folder of this machine for what is half
        sent."""
        self._settings = settings
        self._client = client
        self._bucket = settings.bucket
        self._utc_now = utc_now
        self._monotonic_s = monotonic_s
        self._parts = BucketParts(client, settings.bucket, self._key(""), notes)
        self._offers: _Offers | None = None
        self._swept = False
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()
        self._refused: dict[Doing, str] = {}
        """What the last request of its kind met."""
        self._silent: tuple[float, Exception] | None = None
        """Until when nobody is asked, and what the last one met."""

    @property
    def lacks(self) -> str:
        """What the last requests met; empty when they were done."""
        return next(iter(self._refused.values()), "")

    @property
    def wants(self) -> str:
        """That there is no object lock where one is wanted."""
        wanted = self._settings.lock != "none"
        return _NOT_LOCKED if wanted and self._offers is not None and not self._offers.lock else ""

    def file(self, sha256: str) -> BucketFile:
        """The object with this hash, to be read."""
        return BucketFile(sha256, self.read, self.size)

    def has(self, sha256: str, size: int) -> bool:
        """Whether these bytes are here."""
        with self._asking("write"):
            head = self._head(sha256)
        return head is not None and head["ContentLength"] == size

    def size(self, sha256: str) -> int:
        """Bytes of an object; `FileNotFoundError`, `StorageError`."""
        with self._lock:
            known = self._sizes.get(sha256)
        if known is not None:
            return known
        with self._asking("read"):
            head = self._head(sha256)
        if head is None:
            raise FileNotFoundError(sha256)
        self._remember(sha256, int(head["ContentLength"]))
        return int(head["ContentLength"])

    def read(self, sha256: str, start: int, end: int) -> bytes:
        """Bytes [start, end) of an object, at most `MOST_BYTES`, all of them; `FileNotFoundError`, `StorageError`."""
        assert 0 <= start < end <= start + MOST_BYTES
        with self._asking("read"):
            try:
                return self._fetch(sha256, start, end)
            except REFUSED as error:
                if code_of(error) in MISSING:
                    raise FileNotFoundError(sha256) from error
                if status_of_answer(error) or refused(error, "read").is_away:
                    raise
            return self._fetch(sha256, start, end)  # a line that broke off: the library repeats requests, not answers

    def take(self, source: Path, sha256: str, size: int, known: str | None = None) -> bool:
        """Put a file into the bucket if its bytes are what is claimed; False (and nothing kept) when not."""
        try:
            with source.open("rb") as file:
                if os.fstat(file.fileno()).st_size != size:
                    return False
                if (known or hashlib.file_digest(file, "sha256").hexdigest()) != sha256:
                    return False
                with self._asking("write"):
                    kept = self._keep(file, sha256, size)
        except (FileNotFoundError, StorageError):
            raise
        except OSError as error:
            raise StorageError(
                f"an upload cannot be read ({error.strerror}); it was not stored and not receipted", code="storage"
            ) from error
        if kept:
            self._remember(sha256, size)
        return kept

    def names(self) -> Iterator[tuple[str, int]]:
        """(SHA-256, bytes) of all objects, in the order of their hashes."""
        with self._asking("read"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._settings.prefix}objects/"
            )
            for page in pages:
                for one in page.get("Contents", []):
                    name = str(one["Key"]).rpartition("/")[2]
                    if _NAME.fullmatch(name) and one["Key"] == self._key(name):
                        yield name, int(one["Size"])

    def link(self, sha256: str, filename: str) -> str | None:
        """An address that is good for `link_s`, where links are switched on. Asks nobody."""
        if not self._settings.link_s:
            return None
        words = {
            "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(filename, safe='')}",
            "ResponseContentType": "application/octet-stream",
            "ResponseCacheControl": "no-store",
        }
        said = {"Bucket": self._bucket, "Key": self._key(sha256), **words}
        return str(self._client.generate_presigned_url("get_object", Params=said, ExpiresIn=self._settings.link_s))

    def look(self) -> None:
        """Read, write and clean up, as little as shows whether that can be done."""
        try:
            self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._key(""), MaxKeys=1)
            self._offered()
            key = f"{self._settings.prefix}{_PROBE}"
            begun = self._client.create_multipart_upload(Bucket=self._bucket, Key=key)
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=begun["UploadId"])
            self._parts.clean()
            if not self._swept:
                self._parts.clean_forgotten(self._utc_now())
                self._swept = True
        except (*REFUSED, OSError) as error:
            self._note_refusal(error, refused(error, "write"), "write")
        else:
            self._silent = None
            self._refused.clear()

    def _keep(self, file: BinaryIO, sha256: str, size: int) -> bool:
        there = self._head(sha256)
        if there is not None and self._is_whole(there, sha256, size, checksum_of(file, size)):
            self._lock_longer(there, sha256)
            return True
        how = self._locked() if self._offered().lock else {}
        checksum = self._parts.put(file, self._key(sha256), sha256, size, how, replace=there is not None)
        if checksum is None:
            return False
        head = self._head(sha256)
        if head is None or not self._is_whole(head, sha256, size, checksum):
            log.error("object_spoilt_in_bucket", sha256=sha256, next="it was not receipted, and is sent again")
            raise BucketRefusedError(SPOILT_WORDS)
        return True

    def _is_whole(self, head: dict[str, Any], sha256: str, size: int, checksum: str) -> bool:
        """Whether the store has these bytes: by its own word where it checks what it is told, else by reading all."""
        if head["ContentLength"] != size:
            return False
        said = str(head.get("ChecksumSHA256", ""))
        if self._offered().checks and said and said.partition("-")[0] == checksum.partition("-")[0]:
            return True
        digest = hashlib.sha256()
        for start in range(0, size, MOST_BYTES):
            digest.update(self._fetch(sha256, start, min(start + MOST_BYTES, size)))
        return digest.hexdigest() == sha256

    def _fetch(self, sha256: str, start: int, end: int) -> bytes:
        answer = self._client.get_object(Bucket=self._bucket, Key=self._key(sha256), Range=f"bytes={start}-{end - 1}")
        with contextlib.closing(answer["Body"]) as body:
            data = bytes(body.read(end - start + 1))
        if len(data) < end - start:
            raise IncompleteRead(len(data), end - start)
        if len(data) > end - start:
            raise BucketRefusedError(
                "对象存储返回的内容多于所请求，请检查其是否支持按范围读取 (the S3 store gave more than was asked for, "
                "and does not seem to know ranges)",
                code="busy",
            )
        return data

    def _head(self, sha256: str) -> dict[str, Any] | None:
        try:
            return dict(self._client.head_object(Bucket=self._bucket, Key=self._key(sha256), ChecksumMode="ENABLED"))
        except REFUSED as error:
            # Whether it is the bucket that is missing, the answer to HEAD does not say; `look` and a put do.
            if code_of(error) in MISSING:
                return None
            raise

    def _locked(self) -> dict[str, Any]:
        until = self._utc_now() + dt.timedelta(days=self._settings.retention_days)
        return {"ObjectLockMode": self._settings.lock.upper(), "ObjectLockRetainUntilDate": until}

    def _lock_longer(self, head: dict[str, Any], sha256: str) -> None:
        """An object that was stored before is held as long as if it were stored now."""
        if not self._offered().lock:
            return
        wanted = self._locked()
        until = head.get("ObjectLockRetainUntilDate")
        if until is None or until < wanted["ObjectLockRetainUntilDate"] - _DAY:
            retention = {"Mode": wanted["ObjectLockMode"], "RetainUntilDate": wanted["ObjectLockRetainUntilDate"]}
            self._client.put_object_retention(Bucket=self._bucket, Key=self._key(sha256), Retention=retention)

    def _offered(self) -> _Offers:
        if self._offers is None:
            self._client.head_bucket(Bucket=self._bucket)  # some stores make a bucket of whatever name is written to
            self._offers = _Offers(self._settings.lock != "none" and self._offers_lock(), self._checks())
            if self.wants:
                log.error("bucket_without_lock", wanted=self._settings.lock, next="files are stored without a lock")
            log.info("bucket_offers", lock=self._offers.lock, checks=self._offers.checks)
        return self._offers

    def _offers_lock(self) -> bool:
        try:
            said = self._client.get_object_lock_configuration(Bucket=self._bucket)
        except REFUSED as error:
            if code_of(error) in _NO_LOCK:
                return False
            raise
        return bool(said.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")

    def _checks(self) -> bool:
        """Whether the store refuses bytes that are not what is said of them."""
        key, wrong = f"{self._settings.prefix}{_PROBE}", "A" * 43 + "="
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=b"wutong", ChecksumSHA256=wrong)
        except REFUSED as error:
            if status_of_answer(error) == 400:
                return True
            raise
        with contextlib.suppress(*REFUSED):  # where objects are locked by the bucket itself it stays, six bytes
            self._client.delete_object(Bucket=self._bucket, Key=key)
        return False

    def _key(self, sha256: str) -> str:
        return f"{self._settings.prefix}objects/{sha256[:2]}/{sha256}" if sha256 else f"{self._settings.prefix}objects/"

    def _remember(self, sha256: str, size: int) -> None:
        with self._lock:
            self._sizes[sha256] = size
            self._sizes.move_to_end(sha256)
            while len(self._sizes) > KNOWN_SIZES:
                self._sizes.popitem(last=False)

    @contextlib.contextmanager
    def _asking(self, doing: Doing) -> Iterator[None]:
        """What the library raises becomes `StorageError` in words."""
        silent = self._silent
        if silent is not None and self._monotonic_s() < silent[0]:
            raise refused(silent[1], doing)
        try:
            yield
        except FileNotFoundError:
            raise
        except REFUSED as error:
            refusal = refused(error, doing)
            self._note_refusal(error, refusal, doing)
            raise refusal from error
        else:
            self._refused.pop(doing, None)

    def _note_refusal(self, error: Exception, refusal: BucketRefusedError, doing: Doing) -> None:
        self._refused[doing] = words_of_bucket(error)
        if refusal.is_away:
            self._silent = (self._monotonic_s() + PAUSE_S, error)
        log.error("bucket_refused", act=doing, code=code_of(error), why=repr(error)[:500])
