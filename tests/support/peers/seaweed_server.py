"""A SeaweedFS of the tests' own: one process in a folder that goes away, spoken to by S3, stopped by its pid."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as boto

from server.bucket_settings import BucketSettings
from server.objects.bucket_client import new_client
from server.objects.object_bucket import ObjectBucket

ADMINISTRATOR, CENTER = "administrator", "center"
SECRET = "a-secret-of-the-tests"
RIGHTS = ["Read", "Write", "List", "GetBucketObjectLockConfiguration", "PutObjectRetention"]
"""All that a center needs (docs/operations.md)."""
PATIENCE_S = 60
_ENVIRONMENT = {**os.environ, "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
"""Each bucket has a file of its own to write to, and not seven."""
_GRPC = 10_000
"""SeaweedFS serves each of its ports a second time, so many above it."""


class SeaweedServer:
    """A store on 127.0.0.1; `with` begins and ends it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wutong-seaweed-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._client: Any = None
        self._bucket = ""
        self.port = 0

    def __enter__(self) -> SeaweedServer:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Run it, and wait until it stores something."""
        rights = {ADMINISTRATOR: ["Admin", "Read", "Write", "List"], CENTER: RIGHTS}
        identities = [
            {"name": name, "credentials": [{"accessKey": name, "secretKey": SECRET}], "actions": actions}
            for name, actions in rights.items()
        ]
        config = self._folder / "s3.json"
        config.write_text(json.dumps({"identities": identities}))
        data = self._folder / "data"
        data.mkdir(exist_ok=True)
        master, volume, filer, self.port = _ports(4)
        words = {
            "dir": data,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "master.port": master,
            "master.telemetry": "false",
            "master.volumeSizeLimitMB": 64,
            "volume.port": volume,
            "volume.max": 500,
            "filer.port": filer,
            "filer.localSocket": self._folder / "filer.sock",
            "s3.port": self.port,
            "s3.port.iceberg": 0,  # ports that are the same in each of them
            "s3.port.lance": 0,
            "s3.config": config,
        }
        command = [_program(), "server", "-filer", "-s3", *(f"-{name}={value}" for name, value in words.items())]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder, env=_ENVIRONMENT)
        client = self.client()
        bucket = f"first-{uuid.uuid4().hex}"
        for _ in range(PATIENCE_S * 10):
            assert self._process.poll() is None, (self._folder / "server.log").read_text()[-3000:]
            with contextlib.suppress(boto.BotoCoreError, boto.ClientError):
                with contextlib.suppress(client.exceptions.BucketAlreadyExists):
                    client.create_bucket(Bucket=bucket)
                client.put_object(Bucket=bucket, Key="first", Body=b"x")
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.1)  # the server tells nobody when it is ready
        raise AssertionError("SeaweedFS did not start")

    def stop(self) -> None:
        """End it as a power cut does: nobody waits for what it would write in good order."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
        self._process = None

    def settings(self, bucket: str, **more: Any) -> BucketSettings:
        """As a center's configuration has them; the keys are in the environment (`keys_of_the_tests`)."""
        said = {"endpoint": f"http://127.0.0.1:{self.port}", "bucket": bucket, **more}
        return BucketSettings.model_validate(said)

    def table(self, bucket: str, *, port: int | None = None, link_s: int = 0) -> str:
        """The table `[s3]` of a center's configuration; `port`: of a line to the store."""
        return f'[s3]\nendpoint = "http://127.0.0.1:{port or self.port}"\nbucket = "{bucket}"\nlink_s = {link_s}\n'

    def client(self) -> Any:
        """That of the store's administrator, for the tests themselves."""
        if self._client is None:
            with pytest.MonkeyPatch.context() as patch:
                keys_of_the_tests(patch, ADMINISTRATOR)
                self._client = new_client(self.settings("any"))
        return self._client

    def empty_bucket(self) -> str:
        """The name of a bucket in which nothing is: a new one takes its time, so it is the same each time."""
        if not self._bucket:
            self._bucket = self.new_bucket()
        client, of = self.client(), {"Bucket": self._bucket}
        for key in self.keys(self._bucket):
            client.delete_object(**of, Key=key)
        for one in client.list_multipart_uploads(**of).get("Uploads", []):
            client.abort_multipart_upload(**of, Key=one["Key"], UploadId=one["UploadId"])
        return self._bucket

    def new_bucket(self, *, lock: bool = False) -> str:
        """The name of a new bucket."""
        name = f"b{uuid.uuid4().hex}"
        more: Mapping[str, Any] = {"ObjectLockEnabledForBucket": True} if lock else {}
        self.client().create_bucket(Bucket=name, **more)
        return name

    def keys(self, bucket: str) -> list[str]:
        """The names of all that is in a bucket."""
        return [one["Key"] for one in self.client().list_objects_v2(Bucket=bucket).get("Contents", [])]

    def half_sent(self, bucket: str) -> list[str]:
        """The names of all that has parts and is no object."""
        return [one["Key"] for one in self.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


def keys_of_the_tests(patch: pytest.MonkeyPatch, name: str = CENTER) -> None:
    """While they are in the environment a center finds its keys there."""
    patch.setenv("AWS_ACCESS_KEY_ID", name)
    patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


_shared: list[SeaweedServer] = []
"""The one that runs, once for each folder of tests that has its fixture."""


@pytest.fixture(scope="session")
def seaweed() -> Iterator[SeaweedServer]:
    """One store for all tests of this process, in whichever folders they are."""
    _shared.append(_shared[0] if _shared else SeaweedServer().__enter__())
    try:
        yield _shared[0]
    finally:
        server = _shared.pop()
        if not _shared:
            server.__exit__()


@pytest.fixture(autouse=True)
def bucket_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys, for all tests of a module that names this."""
    keys_of_the_tests(monkeypatch)


def opened_bucket(settings: BucketSettings, notes: Path, **more: Any) -> ObjectBucket:
    """A bucket as a center opens it; `more`: clocks."""
    return ObjectBucket(settings, new_client(settings), notes, **more)


def _program() -> str:
    if platform.machine() != "x86_64":
        pytest.skip("SeaweedFS comes as a program for x86-64 alone")
    found = Path(sys.executable).parent / "weed"
    assert found.is_file(), "SeaweedFS is missing: make setup SET=tests"
    return str(found)


def _ports(count: int) -> list[int]:
    """Ports that nobody uses now, nor those that SeaweedFS takes above them."""
    with contextlib.ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            above = held.enter_context(socket.socket())
            if port + _GRPC > 65_535:
                continue
            with contextlib.suppress(OSError):
                above.bind(("127.0.0.1", port + _GRPC))
                found.append(port)
        return found
