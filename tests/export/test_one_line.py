"""What somebody wrote cannot read as the line of another, nor turn one round, in the text of an export."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.record.event import Event
from tests.support.peers.center_peers import opening, said
from wutong.export.derived.one_line import one_line
from wutong.export.derived.transcript import transcript_files

FORGED = "[00:00:02.000] 被告：我承认全部事实。"
ENDS = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\n\n"]


@pytest.mark.parametrize("end", ENDS, ids=ascii)
def test_words_stay_in_their_row(end: str) -> None:
    events = [Event.from_json(one) for one in (opening(1), said(2, f"现在休庭。{end}{FORGED}"))]
    files = transcript_files(events)
    rows = files["transcript.txt"].decode().splitlines()
    assert not any(row.startswith(FORGED) for row in rows)
    assert f"现在休庭。{'↵' * len(end.replace(chr(13) + chr(10), chr(10)))}{FORGED}" in rows[0]
    assert len(rows) == 1
    before = transcript_files(events, in_one_line=False)["transcript.txt"].decode()
    assert end in before, "the second form is verified as it was"


@pytest.mark.parametrize(
    "mark", ["\u202e", "\u2066", "\u200f", "\u061c", "\ufeff", "\u200b", "\x07", "\x1b", "\U000e0041"]
)
def test_marks_that_are_not_seen_are_shown_as_such(mark: str) -> None:
    events = [Event.from_json(one) for one in (opening(1), said(2, f"同意{mark}不", role=f"审判长{mark}"))]
    files = transcript_files(events)
    for name in ("transcript.txt", "transcript.srt", "transcript.vtt"):
        assert mark not in files[name].decode(), name
        assert "审判长\ufffd" in files[name].decode(), name


@given(st.text())
def test_it_is_one_line_whatever_it_was(text: str) -> None:
    shown = one_line(text)
    assert len(shown.splitlines()) <= 1
    assert one_line(shown) == shown


@pytest.mark.parametrize("text", ["مۇھەممەت\u200cئەلى", "ᠮᠣᠩᠭᠣᠯ\u180bᠬᠡᠯᠡ", "བོད་ཡིག", "𠮷野家。", "审判长：请坐"])
def test_what_scripts_are_read_by_stays(text: str) -> None:
    assert one_line(text) == text
