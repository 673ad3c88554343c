"""The speech model is exactly the one that was measured, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.errors import ConfigError
from transcriber.recognition.model_files import BASE_BYTES, BASE_SHA256, _join_into, locate


def test_base_is_joined_once_and_whole() -> None:
    folder = locate("base")
    assert (folder / "model.bin").stat().st_size == BASE_BYTES
    assert BASE_SHA256.startswith(folder.name.removeprefix("base-"))
    before = (folder / "model.bin").stat().st_mtime_ns
    assert locate("base") == folder
    assert (folder / "model.bin").stat().st_mtime_ns == before


def test_parts_with_another_hash_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"not the model")
    folder = tmp_path / "models" / "base"
    folder.parent.mkdir()
    with pytest.raises(ConfigError, match="SHA-256"):
        _join_into(folder, [part], [], sha256=BASE_SHA256)
    assert list(folder.parent.iterdir()) == []


def test_a_model_cut_short_is_joined_again(tmp_path: Path) -> None:
    folder = tmp_path / f"base-{BASE_SHA256[:8]}"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"half")
    assert locate("base", tmp_path) == folder
    assert (folder / "model.bin").stat().st_size == BASE_BYTES


def test_a_folder_without_a_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no model\.bin") as caught:
        locate(str(tmp_path))
    assert "\n" not in caught.value.message


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ConfigError, match="WUTONG_MODELS"):
        locate("base", tmp_path / "file" / "models")
