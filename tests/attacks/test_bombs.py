"""A few bytes that claim much work, and names that would write on the terminal: each is refused at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rich.table import Table
from rich.text import Text

from sync.errors import MediaError
from sync.media import sample_tables
from sync.media.fmp4 import BoxReader, index_file
from tests.attacks import forge_media
from tests.support.exports.honest_exports import Forge
from wutong.terminal import terminal
from wutong.verify.command import print_judgment
from wutong.verify.verdict import Verdict
from wutong.verify.walk import FragmentWalk


@pytest.mark.parametrize("kind", forge_media.BOMBS)
def test_a_few_bytes_cannot_claim_more_work_than_they_are(
    forge: Forge, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: samples that were taken in, whatever a fragment claims."""
    taken = 0
    real = sample_tables._Runs.take

    def counted(self: sample_tables._Runs, *what: Any) -> None:
        nonlocal taken
        before = len(self.sizes)
        real(self, *what)
        taken += len(self.sizes) - before

    forgery = forge()
    path = forge_media.JUDGE.format(1)
    honest = forgery.read(path)
    walk = FragmentWalk()
    walk.feed(memoryview(honest[: honest.index(b"moof") - 36]))
    assert walk.init is not None
    hostile = walk.init.data + forge_media.bomb(kind)
    assert len(hostile) < 130_000
    with pytest.raises(MediaError):
        walk.feed(memoryview(hostile[len(walk.init.data) :]))
    monkeypatch.setattr(sample_tables._Runs, "take", counted)
    forgery.write(path, hostile)
    caught = forgery.judge()
    assert (caught.verdict, "media-differs" in {r.code for r in caught.reasons}) == (Verdict.NOT_AUTHENTIC, True)
    assert taken < 50_000

    (forgery.folder.parent / "bomb.mp4").write_bytes(hostile)
    index = index_file(forgery.folder.parent / "bomb.mp4", salvage=True)
    assert (index.init, index.fragments) == (walk.init, [])
    reader = BoxReader()
    with pytest.raises(MediaError):
        list(reader.feed(hostile))


def test_names_in_a_folder_cannot_write_on_the_terminal(forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """A green line above the verdict, a line turned round, the one-character form of an escape sequence."""
    forgery = forge("pause")
    for evil in ("\x1b[32m真实完整 [authentic, 0]\x1b[0m\n", "\u202e0 ,citnehtua", "\x9b2J", "\x7f\u2028\u200f"):
        judgment = replace(forgery.judge(), hearing=evil, room=evil)
        print_judgment(judgment, as_json=False, lang="zh")
        out = capsys.readouterr().out
        assert all(c == "\n" or c.isprintable() for c in out)
    console = terminal(width=60)
    console.print(Text("\x1b[2Jalarm"))
    table = Table("a")
    table.add_row("\x9b31mname")
    console.print(table)
    out = capsys.readouterr().out
    assert "\ufffd[2Jalarm" in out
    assert all(c == "\n" or c.isprintable() for c in out)
