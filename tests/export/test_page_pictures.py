"""The pages of an export are the pictures that everybody saw; only where there is none a page is drawn anew."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edge.exhibits.drawer import DrawnJpeg
from sync.errors import MediaError
from sync.record.bodies.evidence import DrawnPicture
from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.record.timeline import Exhibit
from tests.support.files.evidence_files import form_pdf
from wutong.export.player.page_pictures import pages_shown

PICTURE = b"\xff\xd8\xffas the court saw it"


@pytest.fixture
def shown(tmp_path: Path) -> Hearing:
    """One page of a form on the screens, with its picture on record."""
    data = form_pdf()
    digest = hashlib.sha256(data).hexdigest()
    (tmp_path / digest).write_bytes(data)
    body = {"id": "e1", "number": 1, "title": "收条", "filename": "a.pdf", "media_type": "application/pdf"}
    picture: dict[str, object] = {"page": 1, "scale": 1, "width": 9, "height": 9, "bytes": len(PICTURE)}
    picture |= {"sha256": hashlib.sha256(PICTURE).hexdigest()}
    story: list[tuple[str, dict[str, Any]]] = [
        ("exhibit", {**body, "sha256": digest, "bytes": len(data), "pages": 1}),
        ("drawn", {"exhibit": "e1", "of": digest, "pictures": [picture]}),
        ("present", {"exhibit": "e1", "page": 1, "zoom": 1.0, "x": 0.5, "y": 0.5}),
    ]
    return Hearing.of("h", [Event(n, "h", kind, n, n, said) for n, (kind, said) in enumerate(story, 1)])


def test_it_is_the_picture_of_the_record(tmp_path: Path, shown: Hearing) -> None:
    (kept := tmp_path / "kept.jpg").write_bytes(PICTURE)
    made = pages_shown(shown, tmp_path, lambda exhibit, picture: kept, tmp_path)
    assert (tmp_path / made["e1", 1]).read_bytes() == PICTURE


@pytest.mark.process
@pytest.mark.parametrize("lost", [True, False], ids=["it is not here", "it is another"])
def test_without_it_the_page_is_drawn_with_its_seal(tmp_path: Path, shown: Hearing, lost: bool) -> None:
    (kept := tmp_path / "kept.jpg").write_bytes(b"\xff\xd8\xffanother")

    def find(exhibit: Exhibit, picture: DrawnPicture) -> Path | None:
        return None if lost else kept

    made = pages_shown(shown, tmp_path, find, tmp_path)
    with Image.open(tmp_path / made["e1", 1]) as image:
        color = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
    assert isinstance(color, tuple)
    assert color[0] > 200 > 60 > color[1]


@pytest.mark.process
def test_a_file_that_nobody_draws_is_left_to_the_browser(tmp_path: Path, shown: Hearing) -> None:
    shown.exhibits[0].sha256 = "0" * 64
    (tmp_path / ("0" * 64)).write_bytes(b"%PDF-1.7 nothing")
    assert pages_shown(shown, tmp_path, lambda exhibit, picture: None, tmp_path) == {}


def test_one_page_that_cannot_be_drawn_takes_no_other_along(
    tmp_path: Path, shown: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Drawer:
        async def draw(self, page: int, scale: int) -> DrawnJpeg:
            if page == 1:
                raise MediaError("too much", code="exhibit-broken")
            return DrawnJpeg(b"page %d" % page, 9, 9, False)

        async def close(self) -> None:
            pass

    async def opened(path: Path) -> Drawer:
        return Drawer()

    monkeypatch.setattr("edge.exhibits.drawer.PageDrawer.open", opened)
    for number in (4, 5):
        body = {"exhibit": "e1", "page": number - 2, "zoom": 1.0, "x": 0.5, "y": 0.5}
        shown.apply(Event(number, "h", "present", number, number, body))
    made = pages_shown(shown, tmp_path, lambda exhibit, picture: None, tmp_path)
    assert [page for _, page in sorted(made)] == [2, 3]
