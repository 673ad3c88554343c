"""An export and a verdict out of a center whose files are in a bucket: the same as out of its folder."""

from __future__ import annotations

import asyncio
from io import StringIO
from pathlib import Path

from rich.console import Console
from sqlalchemy import insert, select

from server.config import load_config
from server.store import tables as t
from server.store.database import open_database
from tests.export.test_center_source import config
from tests.support.exports.honest_exports import HEARING
from tests.support.exports.honest_room import Center
from tests.support.peers.seaweed_server import SeaweedServer, bucket_keys, seaweed
from wutong.center.move_objects import move_objects
from wutong.export.bundle import export
from wutong.export.sources.center import CenterSource
from wutong.verify.case import ExportCase
from wutong.verify.examine import examine

__all__ = ["bucket_keys", "config", "seaweed"]


def test_what_is_exported_and_verified_from_a_bucket_is_what_was_in_the_folder(
    config: Path, center: Center, tmp_path: Path, seaweed: SeaweedServer
) -> None:
    source = CenterSource(load_config(config), HEARING)
    export(source, tmp_path / "before", people=False)
    source.close()
    count = name_objects(config)
    config.write_text(config.read_text() + seaweed.table(seaweed.empty_bucket()))
    console = Console(file=StringIO())
    assert move_objects(config, "s3", remove=False, console=console).moved == count
    config.write_text(config.read_text().replace("[storage]\n", '[storage]\nobjects = "s3"\n'))
    assert move_objects(config, "s3", remove=True, console=console).removed == count

    source = CenterSource(load_config(config), HEARING)
    export(source, tmp_path / "after", people=False)
    judged = export(source, tmp_path / "judged", people=False, judged=True)
    source.close()
    for path in sorted((tmp_path / "before").glob("media/*/*.mp4")):
        assert (tmp_path / "after" / path.relative_to(tmp_path / "before")).read_bytes() == path.read_bytes()
    verdicts = {examine(ExportCase(tmp_path / name, center.key.public_key())).verdict for name in ("before", "after")}
    verdicts.add(examine(ExportCase(tmp_path / "judged", center.key.public_key(), places=judged.places)).verdict)
    assert len(verdicts) == 1


def name_objects(file: Path) -> int:
    """The rows that say which files the record has, as a center writes them; how many."""
    config = load_config(file)
    database = open_database(config.database_url)
    names = set(database.read_now(lambda connection: list(connection.execute(select(t.files.c.sha256)).scalars())))
    path = config.storage.data / "objects"
    rows = [
        {"sha256": name, "bytes": (path / name[:2] / name).stat().st_size, "stored_utc_ns": 1} for name in sorted(names)
    ]
    asyncio.run(database.write(lambda connection: connection.execute(insert(t.objects), rows)))
    database.close()
    return len(rows)
