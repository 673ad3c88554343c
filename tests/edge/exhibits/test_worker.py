"""What is drawn of files as parties hand them in: all that every viewer shows of them."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edge.exhibits.sizes import MAX_PAGES, MOST_PIXELS, MOST_SIDE, drawn_size
from edge.exhibits.worker import answer
from tests.support.files.evidence_files import (
    RED,
    bomb,
    fax,
    form_pdf,
    frames,
    numbered_pdf,
    pdf,
    pdf_without_its_font,
    photo,
    strip,
)


def opened(tmp_path: Path, data: bytes) -> tuple[Any, dict[str, Any]]:
    path = tmp_path / "file"
    path.write_bytes(data)
    return answer({"open": str(path)}, None)


def drawn(tmp_path: Path, data: bytes, page: int = 1, scale: int = 1) -> tuple[Image.Image, dict[str, Any]]:
    file, said = opened(tmp_path, data)
    assert file is not None, said
    _, picture = answer({"page": page, "scale": scale}, file)
    image = Image.open(io.BytesIO(base64.b64decode(picture["jpeg"]))).convert("RGB")
    assert image.size == (picture["width"], picture["height"])
    return image, {**said, **picture}


def red(color: object) -> bool:
    assert isinstance(color, tuple)
    return bool(color[0] > 150 and color[1] < 60 and color[2] < 60)


def dark(image: Image.Image, box: tuple[float, float, float, float]) -> bool:
    """Whether something is written there; in parts of the page."""
    w, h = image.size
    low, _ = image.convert("L").crop((int(box[0] * w), int(box[1] * h), int(box[2] * w), int(box[3] * h))).getextrema()
    assert isinstance(low, int)
    return low < 100


@pytest.mark.parametrize("in_catalog", [True, False], ids=["form", "widgets without a form"])
@pytest.mark.parametrize("appearances", [True, False], ids=["drawn", "to be drawn by the viewer"])
def test_a_seal_that_is_a_widget_and_a_filled_field_are_in_the_picture(
    tmp_path: Path, in_catalog: bool, appearances: bool
) -> None:
    if not in_catalog and not appearances:
        pytest.skip("no viewer knows what to draw")
    image, _ = drawn(tmp_path, form_pdf(in_catalog=in_catalog, appearances=appearances))
    assert red(image.getpixel((image.width // 2, image.height // 2)))
    assert dark(image, (0.05, 0.85, 0.5, 0.95)), "what was filled in"


@pytest.mark.parametrize(
    ("font", "cmap", "encoding"),
    [
        ("STSong-Light", "UniGB-UCS2-H", "utf-16-be"),
        ("STSong-Light", "GBK-EUC-H", "gbk"),
        ("FangSong_GB2312", "UniGB-UTF16-H", "utf-16-be"),
        ("#CB#CE#CC#E5", "GBK-EUC-H", "gbk"),
    ],
    ids=["iText's", "in GBK", "FangSong", "named in GBK"],
)
def test_chinese_in_a_font_that_is_not_in_the_file_is_drawn(
    tmp_path: Path, font: str, cmap: str, encoding: str
) -> None:
    said, _ = drawn(tmp_path, pdf_without_its_font(font, cmap, encoding, "借条叁拾万元"))
    other, _ = drawn(tmp_path, pdf_without_its_font(font, cmap, encoding, "借条伍拾万元"))
    for place in range(6):  # each character has its place
        left = (60 + 40 * place) / 595
        assert dark(said, (left, 0.12, left + 40 / 595, 0.19)), place
    assert said.tobytes() != other.tobytes(), "characters, and not the same box for each"


ODD = {
    "owner's password only": pdf(2, owner="secret"),
    "byte order mark": b"\xef\xbb\xbf" + pdf(2),
    "blank lines": b"\r\n\r\n" + pdf(2),
    "junk before": b"x" * 1000 + numbered_pdf(2),
    "junk behind": pdf(2) + b"\r\n" * 4000,
    "broken table": numbered_pdf(2).replace(b"startxref", b"startxxxx"),
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_a_pdf_that_every_viewer_shows_is_taken(tmp_path: Path, data: bytes) -> None:
    _, said = drawn(tmp_path, data, page=2)
    assert (said["media_type"], said["pages"], said["converted"]) == ("application/pdf", 2, "")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_as_it_was_taken(tmp_path: Path, orientation: int) -> None:
    image, said = drawn(tmp_path, photo("JPEG", (400, 300), orientation=orientation))
    assert image.size == ((300, 400) if orientation > 4 else (400, 300))
    w, h = image.size
    corner = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}[orientation]
    found = [(x, y) for x in (0, 1) for y in (0, 1) if red(image.getpixel((w // 4 + x * w // 2, h // 4 + y * h // 2)))]
    assert found == [corner]
    assert bool(said["converted"]) == (orientation > 1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "HEIF", "AVIF", "WEBP", "TIFF", "BMP", "GIF"])
def test_pictures_of_all_kinds_are_drawn_and_it_is_said_what_was_converted(tmp_path: Path, kind: str) -> None:
    image, said = drawn(tmp_path, photo(kind))
    assert red(image.getpixel((50, 50)))
    assert not red(image.getpixel((350, 250)))
    assert ("转换为 JPEG" in said["converted"]) == (kind not in ("PNG", "JPEG"))


def test_a_tiff_has_as_many_pages_as_pictures(tmp_path: Path) -> None:
    grays = []
    for page in (1, 2, 3):
        image, said = drawn(tmp_path, frames("TIFF", 3), page)
        assert said["pages"] == 3
        grays.append(image.getpixel((30, 20)))
    assert grays == [(40,) * 3, (100,) * 3, (160,) * 3]


def test_a_fax_is_not_squashed(tmp_path: Path) -> None:
    image, _ = drawn(tmp_path, fax())
    assert image.size == (400, 416)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "L", "I;16", "CMYK"])
def test_pictures_in_other_colors_are_what_they_look_like(tmp_path: Path, mode: str) -> None:
    """Half of it middle gray, half white; white is clear paper where there can be clear paper."""
    out = io.BytesIO()
    gray = Image.new("L", (40, 40), 255)
    gray.paste(128 if mode != "1" else 0, (0, 0, 20, 40))
    if mode in ("RGBA", "LA"):
        image = Image.merge(mode, [gray] * (len(mode) - 1) + [gray.point(lambda v: 0 if v == 255 else 255)])
    elif mode == "I;16":
        image = Image.frombytes("I;16", (40, 40), b"".join(bytes((0, v)) for v in gray.tobytes()))
    else:
        image = gray.quantize(4) if mode == "P" else gray.convert("RGB").convert(mode)
    image.save(out, "TIFF" if mode == "CMYK" else "PNG")
    picture, _ = drawn(tmp_path, out.getvalue())
    left, right = picture.getpixel((8, 20)), picture.getpixel((32, 20))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert max(abs(value - (128 if mode != "1" else 0)) for value in left) < 8
    assert min(right) > 245


@pytest.mark.parametrize(("wide", "high"), [(1080, 24_000), (24_000, 1080)])
def test_a_strip_keeps_its_width_and_is_drawn_larger_step_by_step(tmp_path: Path, wide: int, high: int) -> None:
    sizes = []
    for scale in (1, 2, 4):
        image, said = drawn(tmp_path, strip(wide, high), scale=scale)
        assert red(image.getpixel((20, 20))), "it begins at its beginning"
        assert image.width * image.height <= MOST_PIXELS[scale] * 1.01
        assert said["more"] == (scale < 4)
        sizes.append(min(image.size))
    assert sizes[0] >= 400
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("size", [(1, 1), (1, 60_000), (100_000, 2), (595, 842), (20_000, 20_000)])
@pytest.mark.parametrize("natural", [True, False])
def test_every_page_has_a_bounded_size(size: tuple[int, int], natural: bool) -> None:
    for scale in (1, 2, 4):
        wide, high = drawn_size(*size, scale, natural=natural)
        assert 1 <= wide <= MOST_SIDE
        assert 1 <= high <= MOST_SIDE
        assert wide * high <= MOST_PIXELS[scale] * 1.01
        assert not natural or (wide <= size[0] and high <= size[1])


REFUSED = {
    "password": (pdf(1, password="x"), "exhibit-encrypted", "打开密码"),
    "no pdf": (b"%PDF-1.7 and then nothing", "exhibit-broken", "PDF"),
    "cut pdf": (pdf()[:200], "exhibit-broken", "PDF"),
    "cut png": (photo("PNG")[:60], "exhibit-broken", "PNG"),
    "cut heic": (photo("HEIF")[:200], "exhibit-broken", "HEIC"),
    "cut tiff": (frames("TIFF", 2)[:40], "exhibit-broken", "TIFF"),
    "bomb": (bomb(), "exhibit-pixels", "像素"),
    "moving gif": (frames("GIF", 3), "exhibit-type", "动图"),
    "moving webp": (frames("WEBP", 3), "exhibit-type", "动图"),
    "moving png": (frames("PNG", 3), "exhibit-type", "动图"),
    "too many pages": (pdf(MAX_PAGES + 1), "exhibit-pages", str(MAX_PAGES)),
}


@pytest.mark.parametrize(("data", "code", "word"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_shown_is_refused_with_its_name(tmp_path: Path, data: bytes, code: str, word: str) -> None:
    file, said = opened(tmp_path, data)
    if file is not None:  # its head is well, its picture is not
        _, said = answer({"page": 1, "scale": 1}, file)
    assert said["code"] == code
    assert word in said["message"]


def test_red_is_red(tmp_path: Path) -> None:
    image, _ = drawn(tmp_path, photo("PNG"))
    color = image.getpixel((50, 50))
    assert isinstance(color, tuple)
    assert max(abs(a - b) for a, b in zip(color, RED, strict=True)) < 6
