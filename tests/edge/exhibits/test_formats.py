"""What a file is, by its content alone; whatever is refused is named, with the way out, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge.exhibits.formats import DOCX_FORMAT, format_of
from edge.exhibits.refusal import not_taken
from tests.support.files.evidence_files import form_pdf, frames, pdf, photo, zipped

NAMES = {
    "pdf": (pdf(), "PDF"),
    "pdf after a byte order mark": (b"\xef\xbb\xbf" + pdf(), "PDF"),
    "pdf after blank lines": (b"\r\n\n" + form_pdf(), "PDF"),
    "pdf after a mail's header": (b"X-Mailer: a\r\n" * 70 + pdf(), "PDF"),
    "png": (photo("PNG"), "PNG 图片"),
    "jpeg": (photo("JPEG"), "JPEG 图片"),
    "heic": (photo("HEIF"), "HEIC 照片"),
    "avif": (photo("AVIF"), "AVIF 图片"),
    "webp": (photo("WEBP"), "WebP 图片"),
    "tiff": (frames("TIFF", 2), "TIFF 图片"),
    "bmp": (photo("BMP"), "BMP 图片"),
    "gif": (frames("GIF", 1), "GIF 图片"),
    "ofd": (zipped("OFD.xml", "Doc_0/Document.xml"), "OFD 版式文件（GB/T 33190）"),
    "docx": (zipped("[Content_Types].xml", "word/document.xml"), "Word 文档（DOCX）"),
    "xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), "Excel 表格（XLSX）"),
    "pptx": (zipped("[Content_Types].xml", "ppt/presentation.xml"), "PowerPoint 幻灯片（PPTX）"),
    "odt": (zipped("mimetype", "content.xml"), "ODF 文档（ODT、ODS）"),
    "zip": (zipped("照片/1.jpg"), "ZIP 压缩包"),
    "cut zip": (b"PK\x03\x04" + bytes(90), "ZIP 压缩包"),
    "doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "旧版 Office 或 WPS 文档（DOC、XLS、PPT、WPS）"),
    "rtf": (b"{\\rtf1\\ansi x}", "RTF 文档"),
    "rar": (b"Rar!\x1a\x07\x01\x00", "RAR 压缩包"),
    "7z": (b"7z\xbc\xaf\x27\x1c\x00", "7z 压缩包"),
    "mp4": (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42", "MP4 或 MOV 录像"),
    "m4a": (b"\x00\x00\x00\x18ftypM4A \x00\x00\x02\x00M4A mp42", "M4A 录音"),
    "mp3": (b"\xff\xfb\x90\x44" + bytes(400), "MP3 录音"),
    "wav": (b"RIFF\x00\x00\x00\x00WAVEfmt ", "WAV 录音"),
    "amr": (b"#!AMR\n\x3c", "AMR 录音"),
    "wechat voice": (b"\x02#!SILK_V3" + bytes(20), "微信语音（SILK）"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG 图形"),
    "html": (b"<!DOCTYPE html><p>x</p>", "网页（HTML）"),
    "mail": (b"From: a@b.cn\r\nSubject: x\r\n\r\n", "电子邮件（EML）"),
    "text in GBK": ("原告：张三".encode("gb18030"), "文本文件"),
    "text in UTF-16": ("\ufeff原告：张三".encode("utf-16-le"), "文本文件"),
    "dwg": (b"AC1032" + bytes(90), "AutoCAD 图纸（DWG）"),
    "empty": (b"", "空文件"),
    "noise": (bytes(range(256)), "无法识别的格式"),
}


@pytest.mark.parametrize(("data", "name"), NAMES.values(), ids=NAMES)
def test_it_is_named_by_its_content(tmp_path: Path, data: bytes, name: str) -> None:
    path = tmp_path / "evidence.pdf"
    path.write_bytes(data)
    found = format_of(path)
    assert found.name == name
    if found.media_type == "" or found is DOCX_FORMAT:
        zh, en = re.fullmatch(r"([^()]*\S)\s*\(([\s\S]*)\)", str(not_taken(found))).groups()  # type: ignore[union-attr]
        assert name in zh
        assert found.way_out in zh
        assert len(found.way_out) >= 10
        assert found.name_en in en
        assert found.way_out_en in en
        assert not re.search(r"[\u4e00-\u9fff]", en), "the screens tell the halves by this"
