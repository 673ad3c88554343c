"""Exports to the media that people bring: what a stick with FAT32 or a small one cannot hold is named first."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.errors import StorageError
from sync.media.tracks import MIX
from tests.support.exports.honest_exports import HEARING, HonestExports
from wutong.export import bundle
from wutong.export.bundle import Bundle, export
from wutong.export.medium import _FAT, FAT_BYTES, Medium, _kind, medium_of
from wutong.export.sources.room import RoomSource

TABLE = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 8:1 / /media/stick rw,nosuid - vfat /dev/sda1 rw,fmask=0022
41 22 8:2 / /media/my\\040disk rw - exfat /dev/sdb1 rw
42 40 8:3 / /media/stick/deeper rw - ext4 /dev/sdc1 rw
43 22 8:4 / /media/twice rw - ext4 /dev/sdd1 rw
44 22 8:5 / /media/twice rw - msdos /dev/sde1 rw
nonsense
"""


@pytest.mark.parametrize(
    ("folder", "kind", "most"),
    [
        ("/media/stick/hearings", "vfat", FAT_BYTES),
        ("/media/stick", "vfat", FAT_BYTES),
        ("/media/stick/deeper/x", "ext4", None),
        ("/media/sticky", "ext4", None),
        ("/media/my disk/x", "exfat", None),
        ("/media/twice", "msdos", FAT_BYTES),
    ],
)
def test_the_kind_of_a_medium_is_that_of_the_deepest_mount(folder: str, kind: str, most: int | None) -> None:
    assert _kind(Path(folder), TABLE) == kind
    assert (FAT_BYTES if kind in _FAT else None) == most


def test_a_table_that_cannot_be_read_names_no_limit(tmp_path: Path) -> None:
    medium = medium_of(tmp_path, tmp_path / "nowhere")
    assert (medium.kind, medium.file_bytes) == ("", None)
    assert medium.free_bytes > 0
    (tmp_path / "mounts").write_text(TABLE.replace("/media/stick rw", f"{tmp_path} rw"))
    assert medium_of(tmp_path, tmp_path / "mounts").file_bytes == FAT_BYTES


@pytest.mark.parametrize(
    ("medium", "says"),
    [
        (Medium(Path("/media/stick"), "vfat", 10**12, 1000), ["FAT32", "4 GiB", "exFAT", "--from", "分段"]),
        (Medium(Path("/media/stick"), "vfat", 10**6, FAT_BYTES), ["FAT32", "0.0 GB", "free some space", "更大的介质"]),
        (Medium(Path("/media/stick"), "", 10**6, None), ["unknown file system", "0.0 GB"]),
    ],
)
def test_what_a_medium_cannot_hold_is_named_before_the_first_byte(
    honest: HonestExports, tmp_path: Path, medium: Medium, says: list[str]
) -> None:
    source = RoomSource(honest("pause").data, HEARING)
    try:
        with pytest.raises(StorageError) as caught:
            Bundle(source, tmp_path / "out", lambda *_: None, medium=lambda folder: medium).write(None, force=False)
    finally:
        source.close()
    for word in says:
        assert word in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_films_are_cut_where_the_medium_takes_no_larger_files(
    honest: HonestExports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "FILM_SPARE_BYTES", 0)
    source = RoomSource(honest("pause").data, HEARING)
    try:
        sizes = [event.body for event in source.events() if event.kind == "segment"]
        sound = sum(int(one["bytes"]) for one in sizes if one["track"] == MIX)
        largest = max(int(one["bytes"]) for one in sizes)
        medium = Medium(tmp_path, "vfat", 10**12, largest + sound + sound // 20 + 1)
        Bundle(source, tmp_path / "out", lambda *_: None, medium=lambda folder: medium).write(None, force=False)
    finally:
        source.close()
    data = json.loads((tmp_path / "out/play/data.js").read_text().removeprefix("window.HEARING = ").rstrip(";\n"))
    parts = {camera["id"]: [part["file"] for part in camera["parts"]] for camera in data["cameras"]}
    assert any(len(files) > 1 for files in parts.values()), parts
    for files in parts.values():
        for file in files:
            assert (tmp_path / "out/play" / file).stat().st_size < medium.file_bytes * 1.1  # type: ignore[operator]


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Path]:
    """A real FAT32 of 400 MB, where the machine lets us mount one."""
    image, place = tmp_path / "stick.img", tmp_path / "stick"
    with image.open("wb") as file:
        file.truncate(400 << 20)
    place.mkdir()
    with contextlib.ExitStack() as ends:
        try:
            subprocess.run(["/usr/sbin/mkfs.vfat", "-F", "32", str(image)], check=True, capture_output=True)
            subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no FAT32 can be mounted here: {error}")
        ends.callback(subprocess.run, ["umount", str(place)], check=True)
        yield place


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_an_export_onto_a_real_fat32_is_whole(honest: HonestExports, stick: Path) -> None:
    medium = medium_of(stick)
    assert (medium.kind, medium.file_bytes) == ("vfat", FAT_BYTES)
    source = RoomSource(honest("pause").data, HEARING)
    try:
        made = export(source, stick / "hearing", people=False)
        assert sum(path.is_file() for path in made.folder.rglob("*")) >= made.files
        with (stick / "filler").open("wb") as file:
            file.truncate(350 << 20)
        with pytest.raises(StorageError, match="FAT32"):
            export(source, stick / "again", people=False)
        assert not (stick / "again.partial").exists()
    finally:
        source.close()
