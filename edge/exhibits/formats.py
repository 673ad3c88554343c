"""What a file is, by its content: what is taken, and for everything else its name and the way out.

What the name or the browser says counts for nothing. A ZIP is looked into: OFD and newer Office files are ZIPs.
This runs on bytes of strangers, so it reads a bounded beginning and a bounded list of names, and unpacks nothing.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

HEAD_BYTES = 4096
PDF_WITHIN = 1024
"""Readers of PDF look for its first line this far: some programs write a byte order mark or a blank line before it."""
MOST_NAMES = 20_000
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"


@dataclass(frozen=True)
class Format:
    """A kind of file. `media_type` is empty when it is not taken; then `way_out` and `way_out_en` say what to do."""

    name: str
    name_en: str
    media_type: str = ""
    pillow: tuple[str, ...] = ()
    """What Pillow may open it as."""
    way_out: str = ""
    way_out_en: str = ""


_PRINT = "请用打开它的程序另存或打印为 PDF 后再添加", "save or print it as PDF in its own program, then add that"
_UNPACK = "请先解压，再逐个添加其中的文件", "unpack it, then add the files in it one by one"
_MEDIA = (
    "请截取画面为图片、或打印文字为 PDF 后添加；录音录像请当庭播放，由话筒和摄像头记录",
    "add still pictures of it or its words as PDF; play sound and video in court, where it is recorded",
)
_OFFICE_OLD = (
    "请在 WPS 或 Word 中另存为 PDF 后再添加",
    "save it as PDF in WPS or Word, then add that",
)
_PICTURE = "请用看图程序另存为 PNG 或 JPEG 后再添加", "save it as PNG or JPEG in a picture viewer, then add that"
_CAPTURE = "请打开后截图，或打印为 PDF 后再添加", "open it and take a screenshot, or print it as PDF, then add that"

PDF_FORMAT = Format("PDF", "PDF", PDF)
DOCX_FORMAT = Format("Word 文档（DOCX）", "Word document (DOCX)", DOCX, (), *_OFFICE_OLD)
OFD = Format(
    "OFD 版式文件（GB/T 33190）",
    "OFD document (GB/T 33190)",
    "",
    (),
    "请用 OFD 阅读器（如数科、福昕、WPS）打开，核对签章后另存或打印为 PDF 再添加",
    "open it in an OFD reader (Suwell, Foxit, WPS), check its seals, save or print it as PDF, then add that",
)
ANIMATED = Format(
    "动图",
    "moving picture",
    "",
    (),
    "请截取要展示的画面，存为 PNG 或 JPEG 后再添加",
    "save the pictures of it that are to be shown as PNG or JPEG, then add those",
)
EMPTY = Format("空文件", "empty file", "", (), "请检查后重新选择文件", "choose the file again")
UNKNOWN = Format("无法识别的格式", "unknown format", "", (), *_CAPTURE)

_OLD_OFFICE = Format("旧版 Office 或 WPS 文档（DOC、XLS、PPT、WPS）", "old Office document", "", (), *_OFFICE_OLD)
_STARTS: tuple[tuple[bytes, Format], ...] = (
    (b"\x89PNG\r\n\x1a\n", Format("PNG 图片", "PNG picture", "image/png", ("PNG",))),
    # Some phones put a second picture (a gain map, a thumbnail) behind a JPEG's first; then Pillow says MPO.
    (b"\xff\xd8\xff", Format("JPEG 图片", "JPEG picture", "image/jpeg", ("JPEG", "MPO"))),
    (b"II*\x00", Format("TIFF 图片", "TIFF picture", "image/tiff", ("TIFF",))),
    (b"MM\x00*", Format("TIFF 图片", "TIFF picture", "image/tiff", ("TIFF",))),
    (b"II+\x00", Format("TIFF 图片", "TIFF picture", "image/tiff", ("TIFF",))),
    (b"MM\x00+", Format("TIFF 图片", "TIFF picture", "image/tiff", ("TIFF",))),
    (b"GIF87a", Format("GIF 图片", "GIF picture", "image/gif", ("GIF",))),
    (b"GIF89a", Format("GIF 图片", "GIF picture", "image/gif", ("GIF",))),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLD_OFFICE),
    (b"{\\rtf", Format("RTF 文档", "RTF document", "", (), *_OFFICE_OLD)),
    (b"Rar!\x1a\x07", Format("RAR 压缩包", "RAR archive", "", (), *_UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", Format("7z 压缩包", "7z archive", "", (), *_UNPACK)),
    (b"\x1f\x8b", Format("gzip 压缩包", "gzip archive", "", (), *_UNPACK)),
    (b"%!PS", Format("PostScript 文件", "PostScript file", "", (), *_PRINT)),
    (b"AT&TFORM", Format("DjVu 文件", "DjVu document", "", (), *_PRINT)),
    (b"AC10", Format("AutoCAD 图纸（DWG）", "AutoCAD drawing (DWG)", "", (), *_PRINT)),
    (b"8BPS", Format("Photoshop 文件（PSD）", "Photoshop file (PSD)", "", (), *_PICTURE)),
    (b"\x00\x00\x00\x0cjP  ", Format("JPEG 2000 图片", "JPEG 2000 picture", "", (), *_PICTURE)),
    (b"\xff\x0a", Format("JPEG XL 图片", "JPEG XL picture", "", (), *_PICTURE)),
    (b"\x00\x00\x00\x0cJXL ", Format("JPEG XL 图片", "JPEG XL picture", "", (), *_PICTURE)),
    (b"\xd7\xcd\xc6\x9a", Format("WMF 图片", "WMF picture", "", (), *_PICTURE)),
    (b"CAJ", Format("CAJ 文件", "CAJ document", "", (), *_PRINT)),
    (b"Founder CEB", Format("CEB 版式文件", "CEB document", "", (), *_PRINT)),
    (b"FOUNDER CEB", Format("CEB 版式文件", "CEB document", "", (), *_PRINT)),
    (b"ID3", Format("MP3 录音", "MP3 sound", "", (), *_MEDIA)),
    (b"#!AMR", Format("AMR 录音", "AMR sound", "", (), *_MEDIA)),
    (b"#!SILK", Format("微信语音（SILK）", "WeChat voice message (SILK)", "", (), *_MEDIA)),
    (b"\x02#!SILK", Format("微信语音（SILK）", "WeChat voice message (SILK)", "", (), *_MEDIA)),
    (b"OggS", Format("OGG 录音", "OGG sound", "", (), *_MEDIA)),
    (b"fLaC", Format("FLAC 录音", "FLAC sound", "", (), *_MEDIA)),
    (b"\x1aE\xdf\xa3", Format("MKV 或 WebM 录像", "MKV or WebM video", "", (), *_MEDIA)),
    (b"FLV\x01", Format("FLV 录像", "FLV video", "", (), *_MEDIA)),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Format("WMV 或 WMA 录音录像", "WMV or WMA", "", (), *_MEDIA)),
    (b"BEGIN:VCARD", Format("名片（VCF）", "contact card (VCF)", "", (), *_CAPTURE)),
)  # fmt: skip
_RIFF = {
    b"WEBP": Format("WebP 图片", "WebP picture", "image/webp", ("WEBP",)),
    b"WAVE": Format("WAV 录音", "WAV sound", "", (), *_MEDIA),
    b"AVI ": Format("AVI 录像", "AVI video", "", (), *_MEDIA),
}
_BMP = Format("BMP 图片", "BMP picture", "image/bmp", ("BMP",))
_HEIC = Format("HEIC 照片", "HEIC photograph", "image/heic", ("HEIF",))
_AVIF = Format("AVIF 图片", "AVIF picture", "image/avif", ("AVIF",))
_M4A = Format("M4A 录音", "M4A sound", "", (), *_MEDIA)
_MP4 = Format("MP4 或 MOV 录像", "MP4 or MOV video", "", (), *_MEDIA)
_MP3 = Format("MP3 录音", "MP3 sound", "", (), *_MEDIA)
_SVG = Format("SVG 图形", "SVG drawing", "", (), *_PICTURE)
_HTML = Format("网页（HTML）", "web page (HTML)", "", (), *_CAPTURE)
_MAIL = Format("电子邮件（EML）", "e-mail (EML)", "", (), *_PRINT)
_TEXT = Format("文本文件", "text file", "", (), *_PRINT)
_ZIP = Format("ZIP 压缩包", "ZIP archive", "", (), *_UNPACK)
_INSIDE = (
    ("OFD.xml", OFD),
    ("word/", DOCX_FORMAT),
    ("xl/", Format("Excel 表格（XLSX）", "Excel sheet (XLSX)", "", (), *_OFFICE_OLD)),
    ("ppt/", Format("PowerPoint 幻灯片（PPTX）", "PowerPoint slides (PPTX)", "", (), *_OFFICE_OLD)),
    ("META-INF/container.xml", Format("EPUB 电子书", "EPUB book", "", (), *_PRINT)),
    ("content.xml", Format("ODF 文档（ODT、ODS）", "OpenDocument file", "", (), *_OFFICE_OLD)),
    ("AndroidManifest.xml", Format("安装包（APK）", "app package (APK)", "", (), *_CAPTURE)),
)
MEDIA_TYPES = frozenset(
    one.media_type for one in (PDF_FORMAT, _BMP, _HEIC, _AVIF, *_RIFF.values(), *(found for _, found in _STARTS))
) - {""}
"""Of all files that are drawn as they are."""


def format_of(path: Path) -> Format:
    """What a file is; `OSError` when it cannot be read."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        return EMPTY
    for start, found in _STARTS:
        if head.startswith(start):
            return found
    if head.startswith(b"RIFF") and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if (
        head.startswith(b"BM")
        and len(head) > 18
        and head[14:18] in (b"\x28\0\0\0", b"\x7c\0\0\0", b"\x6c\0\0\0", b"\x0c\0\0\0")
    ):
        return _BMP
    if head[4:8] == b"ftyp":
        return _of_brand(head)
    if head.startswith(b"PK\x03\x04"):
        return _of_zip(path)
    if b"%PDF-" in head[: PDF_WITHIN + 4]:
        return PDF_FORMAT
    if head[:2] != b"\xff\xfe" and head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE0 == 0xE0:
        return _MP3
    return _of_text(head)


def _of_brand(head: bytes) -> Format:
    size = min(int.from_bytes(head[:4], "big"), 256)
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size, 4))}
    if head[8:12] in (b"avif", b"avis") or (b"avif" in brands and head[8:12] == b"mif1"):
        return _AVIF
    if brands & {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx"}:
        return _HEIC
    return _M4A if head[8:11] == b"M4A" else _MP4


def _of_zip(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:MOST_NAMES]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):  # what zipfile says of damage
        return _ZIP
    for mark, found in _INSIDE:
        if any(name == mark or (mark.endswith("/") and name.startswith(mark)) for name in names):
            return found
    return _ZIP


def _of_text(head: bytes) -> Format:
    for start, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"", "utf-8"), (b"", "gb18030")):
        if not head.startswith(start):
            continue
        # A character may be cut at the end of what was read.
        text = next((t for t in (_decoded(head[: len(head) - cut], codec) for cut in range(4)) if t is not None), None)
        if text is None or any(ord(sign) < 32 and sign not in "\t\r\n\f" for sign in text):
            continue
        low = text.lstrip("\ufeff \t\r\n").lower()
        if low.startswith(("<svg", "<?xml")) and "<svg" in low:
            return _SVG
        if low.startswith(("<!doctype html", "<html", "<script", "<head", "<body")):
            return _HTML
        if low.startswith(("from:", "received:", "return-path:", "date:", "mime-version:", "message-id:")):
            return _MAIL
        return _TEXT
    return UNKNOWN


def _decoded(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None
