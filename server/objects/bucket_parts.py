"""How a file is put into a bucket: in one request, or in parts that are seen only when all of them are there.

Promises: what is sent is hashed while it is sent, and what is not the claimed content is never completed; every request
carries the SHA-256 of its bytes, which the store compares; at most `PART_BYTES` of a file are in memory (more only of
files beyond 50 GB); what a killed process has left half sent is noted on disk before its first part, and is taken away
by the next life. An object that is there already is not replaced where the store can be told so.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import fcntl
import hashlib
import io
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from server.objects.bucket_refusals import REFUSED, code_of, status_of_answer
from sync.runtime.files.durable_files import sync_folder

log = structlog.get_logger(__name__)

MIB = 1024 * 1024
PART_BYTES = 5 * MIB
"""The least that a store takes of an object that has further parts."""
MOST_PARTS = 10_000
FORGOTTEN = dt.timedelta(days=1)
"""Parts to which nobody has added for so long are nobody's: no claim takes a day."""
_ALREADY = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_NOT_OFFERED = ("NotImplemented", "MethodNotAllowed", "501", "405")


class BucketParts:
    """All methods block and may be called in several threads. They raise what the library raises (`REFUSED`)."""

    def __init__(self, client: Any, bucket: str, prefix: str, notes: Path) -> None:
        """`prefix`: of all names that are the center's. `notes`: a folder of this machine for what is half sent."""
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._notes = notes
        self._asks_for_new = True
        """Whether the store understands that it shall replace nothing."""
        notes.mkdir(parents=True, exist_ok=True)

    def put(
        self, file: BinaryIO, key: str, sha256: str, size: int, how: Mapping[str, Any], *, replace: bool = False
    ) -> str | None:
        """Send a file from its beginning; the checksum by which the store knows it now (`checksum_of`), or None when
        what was read of it is not `sha256`, and then nothing of it is kept. `how`: further words of the request."""
        file.seek(0)
        if size <= PART_BYTES:
            data = file.read(size + 1)
            digest = hashlib.sha256(data)
            if len(data) != size or digest.hexdigest() != sha256:
                return None
            checksum = _text(digest.digest())
            self._ask("put_object", Key=key, Body=_body(data), ChecksumSHA256=checksum, **how, replace=replace)
            return checksum
        return self._put_parts(file, key, sha256, size, how, replace=replace)

    def clean(self) -> None:
        """Take away what ended lives left half sent, of this process and of others that share the folder."""
        for note in sorted(self._notes.glob("*.json*")):
            with contextlib.suppress(FileNotFoundError), note.open(encoding="utf-8") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue  # under way: whoever sends holds it, and lets go of it when it ends, however it ends
                self._clean_one(note, file.read())

    def _clean_one(self, note: Path, text: str) -> None:
        try:
            said = json.loads(text)
            key, upload = str(said["key"]), str(said["upload"])
        except (ValueError, KeyError, TypeError):
            note.unlink(missing_ok=True)  # cut while it was written: its upload has no part and grows old
            return
        self._abort(key, upload)
        note.unlink(missing_ok=True)
        log.info("half_an_object_removed", key=key)

    def clean_forgotten(self, now: dt.datetime) -> None:
        """Take away what any life on any machine left half sent a day ago. A store that lists nothing is let be."""
        try:
            listed = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=self._prefix)
        except REFUSED as error:
            log.warning("half_objects_not_listed", why=str(error)[:300])
            return
        for one in listed.get("Uploads", []):
            if one["Initiated"] < now - FORGOTTEN:
                self._abort(one["Key"], one["UploadId"])
                log.info("half_an_object_removed", key=one["Key"])

    def _put_parts(
        self, file: BinaryIO, key: str, sha256: str, size: int, how: Mapping[str, Any], *, replace: bool
    ) -> str | None:
        begun = self._client.create_multipart_upload(Bucket=self._bucket, Key=key, ChecksumAlgorithm="SHA256", **how)
        upload = str(begun["UploadId"])
        with self._noted(key, upload):
            whole, sent, parts, digests = hashlib.sha256(), 0, [], []
            while data := file.read(part_bytes(size)):
                whole.update(data)
                sent += len(data)
                digests.append(hashlib.sha256(data).digest())
                said = {"PartNumber": len(digests), "ChecksumSHA256": _text(digests[-1])}
                answer = self._client.upload_part(
                    Bucket=self._bucket, Key=key, UploadId=upload, Body=_body(data), **said
                )
                parts.append({**said, "ETag": answer["ETag"]})
            if sent != size or whole.hexdigest() != sha256:
                self._abort(key, upload)
                return None
            words = {"UploadId": upload, "MultipartUpload": {"Parts": parts}}
            if not self._ask("complete_multipart_upload", Key=key, **words, replace=replace):
                self._abort(key, upload)
        return _composed(digests)

    def _ask(self, what: str, *, replace: bool, **words: Any) -> bool:
        """Write an object; whether it was written: False where one of its name is there already."""
        ask = getattr(self._client, what)
        if replace or not self._asks_for_new:
            ask(Bucket=self._bucket, **words)
            return True
        try:
            ask(Bucket=self._bucket, **words, IfNoneMatch="*")
        except REFUSED as error:
            if code_of(error) in _ALREADY:
                return False
            if code_of(error) not in _NOT_OFFERED:
                raise
            self._asks_for_new = False
            log.info("bucket_knows_no_condition", next="an object that is there already is written anew, the same")
            if "Body" in words:
                words["Body"].seek(0)
            ask(Bucket=self._bucket, **words)
        return True

    def _abort(self, key: str, upload: str) -> None:
        try:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
        except REFUSED as error:
            if status_of_answer(error) != 404:
                raise

    @contextlib.contextmanager
    def _noted(self, key: str, upload: str) -> Iterator[None]:
        """While the block runs a note says of the upload that it is half sent; it stays where that is still so."""
        note = self._notes / f"{uuid.uuid4().hex}.json"
        try:
            with note.open("x", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(json.dumps({"key": key, "upload": upload}))
                file.flush()
                os.fsync(file.fileno())
                sync_folder(self._notes)
                yield
        except BaseException:
            with contextlib.suppress(*REFUSED):
                self._abort(key, upload)
                note.unlink(missing_ok=True)
            raise
        else:
            note.unlink(missing_ok=True)


def part_bytes(size: int) -> int:
    """How large the parts of a file of this size are: a store takes at most `MOST_PARTS`."""
    least = -(-size // MOST_PARTS)
    return max(PART_BYTES, -(-least // MIB) * MIB)


def checksum_of(file: BinaryIO, size: int) -> str:
    """What a store says of a file that `BucketParts` has put: SHA-256 in base64, of parts that of theirs. `OSError`."""
    file.seek(0)
    if size <= PART_BYTES:
        return _text(hashlib.sha256(file.read(size)).digest())
    digests = []
    while data := file.read(part_bytes(size)):
        digests.append(hashlib.sha256(data).digest())
    return _composed(digests)


def _body(data: bytes) -> io.BytesIO:
    """As a file, of which the library sends little at a time: each piece has a time limit of its own then, so a line
    that is slow is no line that is dead."""
    return io.BytesIO(data)


def _composed(digests: list[bytes]) -> str:
    return f"{_text(hashlib.sha256(b''.join(digests)).digest())}-{len(digests)}"


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
