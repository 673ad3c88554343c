"""Files are moved between folder and bucket whole, once, whatever interrupts it, and deleted behind being read back."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import delete, insert
from typer.testing import CliRunner

from server.objects.object_folder import ObjectFolder
from server.store import tables as t
from server.store.database import open_database
from sync.errors import ConfigError, StorageError
from tests.support.peers.faulty_line import FaultyLine
from tests.support.peers.seaweed_server import SeaweedServer
from wutong.center.move_objects import Goal, MoveOutcome, move_objects
from wutong.cli import app

pytestmark = pytest.mark.process


class Moved:
    """A center with files in its folder, and an empty bucket."""

    def __init__(self, folder: Path, seaweed: SeaweedServer) -> None:
        self.seaweed, self.bucket = seaweed, seaweed.empty_bucket()
        self.data = folder / "center"
        self.config = folder / "center.toml"
        self.folder = ObjectFolder(self.data / "objects")
        self.url = f"sqlite:///{self.data / 'center.db'}"
        self.said = StringIO()
        self.write()

    def write(self, objects: str = "folder", port: int | None = None) -> None:
        table = self.seaweed.table(self.bucket, port=port)
        self.config.write_text(f'[storage]\ndata = "center"\nobjects = "{objects}"\n{table}')

    def fill(self, count: int, first: int = 0) -> dict[str, bytes]:
        """Objects as a center has taken them."""
        made = {}
        for seed in range(first, first + count):
            data = random.Random(seed).randbytes(1000 + seed)
            sha256 = hashlib.sha256(data).hexdigest()
            upload = self.data / f"upload-{seed}"
            upload.write_bytes(data)
            assert self.folder.take(upload, sha256, len(data))
            upload.unlink()
            self.note(sha256, len(data))
            made[sha256] = data
        return made

    def note(self, sha256: str, size: int) -> None:
        async def work() -> None:
            row = {"sha256": sha256, "bytes": size, "stored_utc_ns": 1}
            await database.write(lambda connection: connection.execute(insert(t.objects).values(**row)))

        database = open_database(self.url)
        asyncio.run(work())
        database.close()

    def forget(self, sha256: str) -> None:
        async def work() -> None:
            await database.write(lambda c: c.execute(delete(t.objects).where(t.objects.c.sha256 == sha256)))

        database = open_database(self.url)
        asyncio.run(work())
        database.close()

    def move(self, to: Goal = "s3", *, remove: bool = False) -> MoveOutcome:
        return move_objects(self.config, to, remove=remove, console=Console(file=self.said, width=200))

    def in_bucket(self) -> dict[str, bytes]:
        client = self.seaweed.client()
        return {
            key.rpartition("/")[2]: client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            for key in self.seaweed.keys(self.bucket)
        }


@pytest.fixture
def moved(tmp_path: Path, seaweed: SeaweedServer) -> Moved:
    return Moved(tmp_path, seaweed)


def test_files_go_to_the_bucket_and_back_and_nothing_is_deleted_before_it_was_read_back(moved: Moved) -> None:
    made = moved.fill(7)
    assert moved.move() == MoveOutcome(moved=7, bytes=sum(map(len, made.values())))
    assert moved.in_bucket() == made
    assert 'objects = "s3"' in moved.said.getvalue()
    assert dict(moved.folder.names()).keys() == made.keys(), "all of it is still in the folder"
    with pytest.raises(ConfigError, match="--remove"):
        moved.move(remove=True)

    moved.write("s3")
    made |= moved.fill(2, first=7)  # what came while the center was told to use the bucket
    outcome = moved.move(remove=True)
    assert (outcome.there, outcome.moved, outcome.removed) == (7, 2, 9)
    assert moved.in_bucket() == made
    assert dict(moved.folder.names()) == {}
    with pytest.raises(ConfigError, match="--remove"):
        moved.move("folder", remove=True)
    assert moved.move("folder").moved == 9
    assert {sha256: moved.folder.path(sha256).read_bytes() for sha256, _ in moved.folder.names()} == made
    assert not list((moved.data / "moving").iterdir())


def test_what_is_damaged_or_missing_is_named_and_not_moved(moved: Moved) -> None:
    made = moved.fill(3)
    lost, *_ = sorted(made)
    moved.folder.path(lost).unlink()
    with pytest.raises(StorageError, match=f"缺失或已损坏.*{lost}"):
        moved.move()
    assert moved.in_bucket().keys() == made.keys() - {lost}, "all others are moved"
    moved.forget(lost)

    data = b"as it was"
    wrong = hashlib.sha256(data).hexdigest()
    moved.note(wrong, len(data))
    path = moved.folder.path(wrong)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"not as it")
    with pytest.raises(StorageError, match=f"缺失或已损坏.*{wrong}"):
        moved.move()
    assert wrong not in moved.in_bucket()


def test_a_file_that_is_another_one_in_the_bucket_is_not_deleted_from_the_folder(moved: Moved) -> None:
    made = moved.fill(2)
    moved.move()
    moved.write("s3")
    spoilt = sorted(made)[1]
    wrong = b"x" * len(made[spoilt])
    moved.seaweed.client().put_object(Bucket=moved.bucket, Key=f"objects/{spoilt[:2]}/{spoilt}", Body=wrong)
    with pytest.raises(StorageError, match="未删除"):
        moved.move(remove=True)
    assert moved.folder.path(spoilt).read_bytes() == made[spoilt]


async def test_a_run_that_is_killed_goes_on_where_it_was(moved: Moved) -> None:
    made = await asyncio.to_thread(moved.fill, 6)
    fourth = sorted(made)[3].encode()
    line = FaultyLine(moved.seaweed.port)
    async with line.running() as port:
        moved.write(port=port)
        line.held = re.compile(rb"^PUT .*" + fourth)
        line.answers.clear()
        words = [sys.executable, "-m", "wutong", "center", "move-objects", "--config", str(moved.config), "--to", "s3"]
        child = await asyncio.create_subprocess_exec(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        async with asyncio.timeout(60):
            while not any(fourth in one and one.startswith(b"PUT") for one in line.requests):
                assert child.returncode is None
                await asyncio.sleep(0.02)
        child.kill()
        await child.wait()
        line.answers.set()
        line.requests.clear()
        outcome = await asyncio.to_thread(moved.move)
        assert outcome.there >= 3, "what was there is not sent again"
        assert len([one for one in line.requests if one.startswith(b"PUT") and b"/objects/" in one]) == outcome.moved
    assert await asyncio.to_thread(moved.in_bucket) == made


async def test_a_store_that_is_away_is_named_and_nothing_is_lost(moved: Moved) -> None:
    made = await asyncio.to_thread(moved.fill, 2)
    moved.write(port=9)
    with pytest.raises(StorageError, match=r"连接不上.*再次运行"):
        await asyncio.to_thread(moved.move)
    assert dict(moved.folder.names()).keys() == made.keys()


def test_the_command_says_what_is_not_configured(tmp_path: Path) -> None:
    file = tmp_path / "center.toml"
    file.write_text('[storage]\ndata = "center"\n')
    shown = CliRunner().invoke(app, ["center", "move-objects", "--config", str(file), "--to", "s3"])
    assert shown.exit_code != 0
    assert isinstance(shown.exception, ConfigError) or "endpoint" in shown.output
