"""Files as parties hand them in, made here: whole ones, odd ones that every viewer opens, and some that
nobody shows."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from PIL import Image, ImageDraw
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    PdfObject,
    TextStringObject,
)
from reportlab.lib.colors import red, white
from reportlab.pdfgen.canvas import Canvas

RED = (200, 0, 0)


def pdf(pages: int = 2, password: str = "", *, owner: str = "") -> bytes:
    """Blank pages of 200 x 300 points; `owner`: only printing is forbidden."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 300)
    if password or owner:
        writer.encrypt(password, owner or password, algorithm="AES-256")
    return _written(writer)


def pdf_without_its_font(font: str, cmap: str, encoding: str, text: str) -> bytes:
    """A page of A4 with a row of Chinese in a font that is named and not in the file, as many programs write it."""
    writer = PdfWriter()
    page = writer.add_blank_page(595, 842)
    name = NameObject(f"/{font}")
    descriptor: dict[str, PdfObject] = {
        "/Type": NameObject("/FontDescriptor"),
        "/FontName": name,
        "/Flags": NumberObject(6),
    }
    system: dict[str, PdfObject] = {"/Registry": TextStringObject("Adobe"), "/Ordering": TextStringObject("GB1")}
    descendant: dict[str, PdfObject] = {
        "/Type": NameObject("/Font"),
        "/Subtype": NameObject("/CIDFontType0"),
        "/BaseFont": name,
        "/CIDSystemInfo": _dictionary({**system, "/Supplement": NumberObject(5)}),
        "/FontDescriptor": writer._add_object(_dictionary(descriptor)),
        "/DW": NumberObject(1000),
    }
    composite: dict[str, PdfObject] = {
        "/Type": NameObject("/Font"),
        "/Subtype": NameObject("/Type0"),
        "/BaseFont": name,
        "/Encoding": NameObject(f"/{cmap}"),
        "/DescendantFonts": ArrayObject([writer._add_object(_dictionary(descendant))]),
    }
    fonts = _dictionary({"/F1": writer._add_object(_dictionary(composite))})
    page[NameObject("/Resources")] = _dictionary({"/Font": fonts})
    content = DecodedStreamObject()
    content.set_data(b"BT /F1 40 Tf 60 700 Td <" + text.encode(encoding).hex().encode() + b"> Tj ET")
    page[NameObject("/Contents")] = writer._add_object(content)
    return _written(writer)


def _dictionary(entries: dict[str, PdfObject]) -> DictionaryObject:
    return DictionaryObject({NameObject(key): value for key, value in entries.items()})


def numbered_pdf(pages: int) -> bytes:
    """Pages of A4 with words, each with a black bar that is so wide as its number says."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(595, 842))
    for page in range(1, pages + 1):
        canvas.setFont("Helvetica", 11)
        for line in range(60):
            canvas.drawString(40, 800 - 12 * line, f"page {page} line {line} " + "evidence " * 8)
        canvas.rect(0, 0, 595 * page / pages, 20, fill=1)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def form_pdf(*, in_catalog: bool = True, appearances: bool = True) -> bytes:
    """A page with a filled field at the bottom and, as a widget, a red seal in the middle."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(400, 400))
    canvas.acroForm.textfield(
        name="amount", value="30000000", x=20, y=20, width=200, height=30, borderWidth=0, fillColor=white, fontSize=20
    )
    canvas.acroForm.textfield(name="seal", x=150, y=150, width=100, height=100, fillColor=red, borderColor=red)
    canvas.showPage()
    canvas.save()
    writer = PdfWriter(clone_from=PdfReader(out))
    root = writer.root_object
    for annotation in writer.pages[0]["/Annots"]:  # type: ignore[attr-defined]
        widget = annotation.get_object()
        if not appearances and widget["/T"] == "amount":
            del widget["/AP"]
    form = root["/AcroForm"].get_object()
    assert isinstance(form, DictionaryObject)
    if not appearances:
        form[NameObject("/NeedAppearances")] = BooleanObject(True)
    if not in_catalog:
        form[NameObject("/Fields")] = ArrayObject()
        del root["/AcroForm"]
    return _written(writer)


def _written(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def photo(kind: str = "PNG", size: tuple[int, int] = (400, 300), *, orientation: int = 1, **options: object) -> bytes:
    """White, with its left upper quarter red as the camera saw it."""
    image = Image.new("RGB", size, "white")
    image.paste(RED, (0, 0, size[0] // 2, size[1] // 2))
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    image.save(out, kind, **({"exif": exif} if kind != "BMP" else {}), **options)
    return out.getvalue()


def frames(kind: str, count: int) -> bytes:
    """So many pictures in one file, each of another gray."""
    pictures = [Image.new("L", (60, 40), 40 + 60 * number) for number in range(count)]
    out = io.BytesIO()
    pictures[0].save(out, kind, save_all=True, append_images=pictures[1:])
    return out.getvalue()


def fax() -> bytes:
    """A TIFF whose pixels are twice as high as wide: 204 x 98 to the inch."""
    out = io.BytesIO()
    Image.new("1", (400, 200), 1).save(out, "TIFF", dpi=(204, 98), compression="group4")
    return out.getvalue()


def strip(width: int = 1080, height: int = 24_000) -> bytes:
    """A screenshot of a whole chat: rows of bubbles, red at its very beginning."""
    image = Image.new("RGB", (width, height), "#ededed")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, min(width, height) - 1, min(width, height) - 1), fill=RED)
    for top in range(0, height, 300):
        draw.rectangle((width // 10, top + 40, width // 10 + 500, top + 200), fill="white", outline="black")
        draw.text((width // 10 + 20, top + 60), f"message {top // 300}", fill="black", font_size=48)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def bomb() -> bytes:
    """A PNG that says it has 900 million pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(30_001 * 100))) + chunk(b"IEND", b"")


def zipped(*names: str) -> bytes:
    """A ZIP of empty files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    return out.getvalue()


def beginnings() -> list[bytes]:
    """A small file of each kind that rooms take, and an archive."""
    pictures = [photo(kind, (8, 6)) for kind in ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP")]
    return [pdf(1), *pictures, zipped("word/document.xml"), zipped("OFD.xml")]
