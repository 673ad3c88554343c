"""The bench of the verifier verifies a whole hearing that was really exported, or says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sync.errors import LedgerError
from wutong.bench import verify
from wutong.verify.case import ExportCase


@pytest.mark.process
async def test_what_is_timed_is_an_authentic_hearing_with_its_media(tmp_path: Path) -> None:
    figures = await verify.measure(tmp_path, 20, Console(quiet=True))
    assert str(figures["verdict"]).startswith("authentic")
    assert figures["media_mb"] >= 20
    assert figures["verify_mb_per_s"] > 0
    media = list((tmp_path / "export" / "media").rglob("*.mp4"))
    assert figures["segments"] == len(media)
    assert figures["media_mb"] == pytest.approx(sum(file.stat().st_size for file in media) / 1e6, abs=0.1)


@pytest.mark.process
async def test_no_figure_is_given_for_a_hearing_that_does_not_verify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(folder: Path, *rest: Any) -> ExportCase:
        file = next((folder / "media").rglob("*.mp4"))
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        return ExportCase(folder, *rest)

    monkeypatch.setattr(verify, "ExportCase", damaged)
    with pytest.raises(LedgerError, match="not-authentic"):
        await verify.measure(tmp_path, 20, Console(quiet=True))
