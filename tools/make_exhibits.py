#!/usr/bin/env python3
"""Draw the two exhibits of the bundled hearing: an IOU (PDF, two pages) and a bank's transfer slip (PNG).

    tools/make_exhibits.py [FOLDER]

They look like scans of papers, agree with what is said in `reference.json` (三十万元, 2022-06-01, 一年, 年利率 6%), and
say on each page that they are for demonstration: names, numbers and stamps belong to nobody. Needs the fonts of
Debian's fonts-noto-cjk. The same fonts and the same Pillow give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

BUNDLED = Path(__file__).resolve().parent.parent / "hardware" / "hearing"
FONTS = Path("/usr/share/fonts/opentype/noto")
SIMPLIFIED = 2
"""Index of the Simplified Chinese face in the Noto CJK collections."""

DPI = 150
A4 = (1240, 1754)
SLIP = (1654, 827)
PAPER = (250, 246, 235)
INK = (30, 32, 44)
PEN = (28, 44, 110)
RED = (196, 38, 38)
GRAY = (112, 108, 100)
MADE = time.struct_time((2022, 6, 1, 0, 0, 0, 2, 152, 0))
"""The date in the PDF's metadata; a fixed one keeps the file the same whenever it is made."""


def font(size: int, *, serif: bool = True, bold: bool = False) -> ImageFont.FreeTypeFont:
    """A face of Noto CJK for Simplified Chinese, `size` pixels high."""
    name = f"Noto{'Serif' if serif else 'Sans'}CJK-{'Bold' if bold else 'Regular'}.ttc"
    return ImageFont.truetype(FONTS / name, size, index=SIMPLIFIED)


class Sheet:
    """A piece of paper to write on."""

    def __init__(self, size: tuple[int, int], paper: tuple[int, int, int] = PAPER) -> None:
        self.image = Image.new("RGB", size, paper)
        self.draw = ImageDraw.Draw(self.image)
        width, height = size
        self.draw.rectangle((18, 18, width - 19, height - 19), outline=(225, 218, 200), width=2)
        notice = "演示用 · 虚构内容，与任何真实的人、账户和单位无关"
        self.write((width // 2, height - 52), notice, font(24, serif=False), GRAY, anchor="mm")

    def write(
        self,
        at: tuple[int, int],
        text: str,
        face: ImageFont.FreeTypeFont,
        ink: tuple[int, int, int] = INK,
        anchor: str = "la",
    ) -> None:
        """One line of text."""
        self.draw.text(at, text, font=face, fill=ink, anchor=anchor)

    def lines(self, at: tuple[int, int], texts: list[str], face: ImageFont.FreeTypeFont, step: int) -> None:
        """Lines of text, `step` pixels apart."""
        for number, text in enumerate(texts):
            self.write((at[0], at[1] + number * step), text, face)

    def stamp(self, middle: tuple[int, int], radius: int, texts: list[str]) -> None:
        """A round red stamp, turned a little, as by hand."""
        side = radius * 2 + 8
        stamp = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        draw = ImageDraw.Draw(stamp)
        draw.ellipse((4, 4, side - 5, side - 5), outline=(*RED, 210), width=6)
        face = font(radius // 4, serif=False, bold=True)
        top = side // 2 - (len(texts) - 1) * radius // 6
        for number, text in enumerate(texts):
            draw.text((side // 2, top + number * radius // 3), text, font=face, fill=(*RED, 210), anchor="mm")
        turned = stamp.rotate(12, resample=Image.Resampling.BICUBIC)
        self.image.paste(turned, (middle[0] - side // 2, middle[1] - side // 2), turned)

    def fingerprint(self, middle: tuple[int, int]) -> None:
        """A red thumb print over a signature."""
        x, y = middle
        for ring in range(5, 46, 6):
            box = (x - ring * 0.72, y - ring, x + ring * 0.72, y + ring)
            self.draw.arc(box, 20 + ring, 330 + ring, fill=RED, width=3)


def iou_front() -> Image.Image:
    """Page 1: the IOU itself."""
    sheet = Sheet(A4)
    sheet.write((A4[0] // 2, 220), "借    条", font(84, bold=True), anchor="mm")
    text = [
        "        今借到张伟明人民币叁拾万元整（小写：",
        "¥300,000.00），用于经营周转。",
        "        借款期限一年，自 2022 年 6 月 1 日起至 2023 年",
        "5 月 31 日止，年利率百分之六（6%），到期一次还",
        "本付息。",
        "        出借人于本借条签订当日以银行转账方式将借款",
        "汇入借款人账户（见背面）。",
        "        此据。",
    ]
    sheet.lines((130, 360), text, font(42), 84)
    sheet.write((500, 1130), "借款人（签字、捺印）：", font(40))
    sheet.write((980, 1116), "李建国", font(58), PEN)
    sheet.fingerprint((1130, 1165))
    sheet.write((500, 1225), "出借人（签字）：", font(40))
    sheet.write((980, 1211), "张伟明", font(58), PEN)
    sheet.write((1120, 1330), "2022 年 6 月 1 日", font(42), anchor="ra")
    sheet.write((130, 1500), "（正面 · 背面有收款账户和还款记录）", font(30), GRAY)
    sheet.write((A4[0] - 130, 1500), "1 / 2", font(30), GRAY, anchor="ra")
    return sheet.image


def iou_back() -> Image.Image:
    """Page 2: the reverse side: the account, and a table of repayments with nothing in it."""
    sheet = Sheet(A4)
    sheet.write((A4[0] // 2, 200), "借 条（背面）", font(60, bold=True), anchor="mm")
    sheet.write((130, 320), "一、收款账户", font(44, bold=True))
    account = [
        "户名：李建国",
        "开户行：中国建设银行尖山支行（演示）",
        "账号：0000 0000 0000 0000 002（演示）",
        "金额：人民币 300,000.00 元",
    ]
    sheet.lines((180, 410), account, font(40), 74)
    sheet.write((130, 780), "二、还款记录（还款时由双方填写并签字）", font(44, bold=True))
    left, top, row = 130, 870, 92
    columns = (0, 250, 520, 750, 980)
    heads = ("日期", "金额（元）", "还款人", "收款人")
    for line in range(6):
        sheet.draw.line((left, top + line * row, left + columns[-1], top + line * row), fill=INK, width=3)
    for column in columns:
        sheet.draw.line((left + column, top, left + column, top + 5 * row), fill=INK, width=3)
    for number, head in enumerate(heads):
        middle = left + (columns[number] + columns[number + 1]) // 2
        sheet.write((middle, top + row // 2), head, font(38, bold=True), anchor="mm")
    sheet.write((130, 1390), "（以下空白）", font(38), GRAY)
    sheet.write((A4[0] - 130, 1500), "2 / 2", font(30), GRAY, anchor="ra")
    return sheet.image


def transfer_slip() -> Image.Image:
    """The bank's slip of the transfer on the day of the IOU."""
    sheet = Sheet(SLIP, paper=(243, 248, 250))
    sheet.write((SLIP[0] // 2, 80), "中国建设银行  转账凭证（客户回单）", font(48, serif=False, bold=True), anchor="mm")
    sheet.write((90, 140), "交易时间：2022-06-01 10:24:36", font(30, serif=False))
    sheet.write((SLIP[0] - 90, 140), "流水号：DEMO-20220601-000137", font(30, serif=False), anchor="ra")
    rows = [
        ("付款人", "张伟明", "收款人", "李建国"),
        ("付款账号", "0000 0000 0000 0000 001", "收款账号", "0000 0000 0000 0000 002"),
        ("付款行", "尖山支行（演示）", "收款行", "尖山支行（演示）"),
    ]
    left, right, top, height = 90, SLIP[0] - 90, 200, 84
    edges = (left, left + 190, SLIP[0] // 2, SLIP[0] // 2 + 190, right)
    label, value = font(30, serif=False, bold=True), font(32, serif=False)
    for line, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            box = (edges[column], top + line * height, edges[column + 1], top + (line + 1) * height)
            sheet.draw.rectangle(box, outline=INK, width=2)
            face = value if column % 2 else label
            sheet.write((box[0] + 16, (box[1] + box[3]) // 2), cell, face, anchor="lm")
    below = [
        ("金额（大写）", "人民币叁拾万元整"),
        ("金额（小写）", "¥ 300,000.00"),
        ("用途 / 附言", "借款"),
    ]
    for line, (head, text) in enumerate(below, start=len(rows)):
        for box, cell, face in (
            ((left, top + line * height, edges[1], top + (line + 1) * height), head, font(28, serif=False, bold=True)),
            ((edges[1], top + line * height, right, top + (line + 1) * height), text, font(36, serif=False)),
        ):
            sheet.draw.rectangle(box, outline=INK, width=2)
            sheet.write((box[0] + 14, (box[1] + box[3]) // 2), cell, face, anchor="lm")
    sheet.write((left, top + 6 * height + 14), "渠道：手机银行    状态：交易成功", font(28, serif=False), GRAY)
    sheet.stamp((1380, 600), 112, ["电子回单", "业务专用章", "（演示）"])
    return sheet.image


def make(folder: Path) -> list[Path]:
    """Draw both exhibits into `folder`; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    iou, slip = folder / "iou.pdf", folder / "transfer-slip.png"
    iou_front().save(
        iou,
        "PDF",
        save_all=True,
        append_images=[iou_back()],
        resolution=DPI,
        quality=80,
        title="借条（演示）",
        creationDate=MADE,
        modDate=MADE,
    )
    transfer_slip().quantize(128).save(slip, "PNG", optimize=True, dpi=(DPI, DPI))
    return [iou, slip]


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=BUNDLED)
    for made in make(parser.parse_args().folder):
        print(f"{made}: {made.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
