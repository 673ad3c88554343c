"""What a reader that was taken over says of its file: nothing of it is believed that no honest reader says."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from edge.exhibits import drawer
from edge.exhibits.drawer import PageDrawer
from edge.exhibits.sizes import MAX_PAGES, MOST_SIDE
from sync.errors import MediaError

pytestmark = pytest.mark.process

FILE = {"media_type": "application/pdf", "pages": 3, "name": "x", "converted": ""}
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0 a picture").decode()
PAGE = {"width": 800, "height": 600, "more": False, "jpeg": JPEG}
_SAYS = "import sys\nfor answer in sys.argv[1:]:\n    sys.stdin.readline()\n    print(answer, flush=True)\n"


def says(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> None:
    """Have the reader answer with these lines, whatever it is asked."""
    lines = [one if isinstance(one, str) else json.dumps(one) for one in answers]
    monkeypatch.setattr(drawer, "module_command", lambda module: [sys.executable, "-c", _SAYS, *lines])


@pytest.mark.parametrize(
    "lie",
    [
        {"pages": 0},
        {"pages": -1},
        {"pages": MAX_PAGES + 1},
        {"pages": True},
        {"pages": 1.5},
        {"pages": "3"},
        {"pages": None},
        {"media_type": "text/html"},
        {"media_type": "image/svg+xml"},
        {"media_type": "application/pdf\r\nSet-Cookie: a=b"},
        {"media_type": ["application/pdf"]},
        {"converted": 7},
        json.dumps(FILE).replace("3", "1e999"),
        json.dumps(FILE).replace("3", "NaN"),
        json.dumps(FILE).replace("3", "9" * 5000),
        json.dumps(FILE).replace('"x"', '"\\ud800"'),
        '{"pages": 3, "pages": 4}',
        "[" * 100_000,
    ],
    ids=lambda lie: repr(lie)[:40],
)
async def test_a_file_is_described_by_what_an_honest_reader_may_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: Any
) -> None:
    says(monkeypatch, lie if isinstance(lie, str) else FILE | lie)
    with pytest.raises(MediaError) as refused:
        await PageDrawer.open(tmp_path / "a.pdf")
    assert refused.value.code == "exhibit-broken"


@pytest.mark.parametrize(
    "lie",
    [
        {"width": 0},
        {"width": MOST_SIDE + 1},
        {"height": 10**9},
        {"width": 3000, "height": 3000},
        {"more": "yes"},
        {"jpeg": base64.b64encode(b"<svg>").decode()},
        {"jpeg": "é"},
        {"jpeg": 7},
        json.dumps(PAGE).replace("800", "1e999"),
    ],
    ids=lambda lie: repr(lie)[:40],
)
async def test_a_page_is_a_picture_of_the_size_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: Any
) -> None:
    says(monkeypatch, FILE, PAGE, lie if isinstance(lie, str) else PAGE | lie)
    opened = await PageDrawer.open(tmp_path / "a.pdf")
    try:
        assert (await opened.draw(1, 1)).width == 800
        with pytest.raises(MediaError) as refused:
            await opened.draw(1, 1)
        assert refused.value.code == "exhibit-broken"
        assert not opened.alive
    finally:
        await opened.close()


async def test_a_refusal_has_a_code_of_a_reader_and_words_that_can_be_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for said, code in (("exhibit-pages", "exhibit-pages"), ("signed-out", "exhibit-broken"), (["x"], "exhibit-broken")):
        says(monkeypatch, {"code": said, "message": "x\u202ey\x1b[2J" + "z" * 10_000})
        with pytest.raises(MediaError) as refused:
            await PageDrawer.open(tmp_path / "a.pdf")
        assert refused.value.code == code
        assert refused.value.message.isprintable()
        assert len(refused.value.message) <= 500
