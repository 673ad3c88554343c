"""What is drawn: no character's place is blank, and the words can be read out of the file again."""

from __future__ import annotations

import numpy as np
import pypdfium2
import pytest
from fpdf.enums import DocumentCompliance

from sync.paper.characters import SIGN, is_printed, printable
from sync.paper.faces import SERIF
from sync.paper.runs import runs
from sync.paper.sheet import Paper

PT, ACROSS, DOWN, FIRST = 14.0, 16, 24, 25.0
STEP_MM, ROW_MM = 11.0, 10.0
SCALE = 4.0
"""Pixels a point."""

BLOCKS = {
    "ASCII": (0x21, 0x7E),
    "Kangxi radicals": (0x2F00, 0x2FD5),
    "CJK": (0x4E00, 0x9FFF),
    "CJK A": (0x3400, 0x4DBF),
    "CJK B": (0x20000, 0x2A6DD),
    "CJK C": (0x2A700, 0x2B738),
    "CJK D": (0x2B740, 0x2B81D),
    "CJK E": (0x2B820, 0x2CEA1),
    "CJK F": (0x2CEB0, 0x2EBE0),
    "Tibetan": (0x0F40, 0x0F47),
    "Arabic letters": (0x0626, 0x064A),
    "Mongolian": (0x1820, 0x1842),
    "Yi": (0xA000, 0xA48C),
    "Tai Le": (0x1950, 0x196D),
    "New Tai Lue": (0x1980, 0x19AB),
    "Tai Tham": (0x1A20, 0x1A54),
    "Lisu": (0xA4D0, 0xA4FF),
    "Miao": (0x16F00, 0x16F44),
    "Phags-pa": (0xA840, 0xA873),
    "Hangul": (0xAC00, 0xD7A3),
    "Cyrillic": (0x0400, 0x045F),
    "GBK, private": (0xE816, 0xE864),
}
PARTLY = {"CJK G": (0x30000, 0x3134A), "CJK H": (0x31350, 0x323AF), "CJK I": (0x2EBF0, 0x2EE5D)}
"""Of which Debian's fonts have some, or none yet."""


def sample(first: int, last: int, most: int = 40) -> str:
    step = max((last - first) // most, 1)
    return "".join(chr(code) for code in range(first, last + 1, step))[: ACROSS * DOWN]


def drawn(words: list[str]) -> tuple[np.ndarray, str]:
    """A page with each of the words at its place in a grid: its pixels (0 is black), and the text that is read."""
    paper = Paper(face=SERIF, compliance=DocumentCompliance.PDFA_3B)
    paper.add_page()
    for number, word in enumerate(words):
        paper.put(FIRST + number % ACROSS * STEP_MM, FIRST + number // ACROSS * ROW_MM, word, size=PT)
    document = pypdfium2.PdfDocument(paper.made())
    try:
        page = document[0]
        return page.render(scale=SCALE, grayscale=True).to_numpy().squeeze(), page.get_textpage().get_text_range()
    finally:
        document.close()


def blank(words: list[str], pixels: np.ndarray) -> list[str]:
    """The words at whose place there is no ink."""
    unit = SCALE * 72 / 25.4
    found = []
    for number, word in enumerate(words):
        x, y = (FIRST + number % ACROSS * STEP_MM) * unit, (FIRST + number // ACROSS * ROW_MM) * unit
        box = pixels[int(y - 6.5 * unit) : int(y + 3 * unit), int(x - unit) : int(x + 9 * unit)]
        if (box < 128).sum() < 8:
            found.append(word)
    return found


@pytest.mark.parametrize("block", BLOCKS)
def test_no_character_of_a_block_is_blank_and_each_is_read_again(block: str) -> None:
    words = [word for word in map(printable, sample(*BLOCKS[block])) if SIGN not in word]
    assert len(words) >= min(len(sample(*BLOCKS[block])) * 0.9, 8)
    pixels, text = drawn(words)
    assert blank(words, pixels) == []
    assert {word for word in words if word not in text and not _same(word, text)} == set()


def _same(word: str, text: str) -> bool:
    """A reader may give a radical as the character that looks like it."""
    import unicodedata

    return unicodedata.normalize("NFKC", word) in text


@pytest.mark.parametrize("block", PARTLY)
def test_what_no_font_has_is_a_sign_with_its_code_point(block: str) -> None:
    for c in sample(*PARTLY[block]):
        [word] = [printable(c)]
        assert word == (c if is_printed(c) else f"{SIGN}(U+{ord(c):04X})")
    words = [printable(c) for c in sample(*PARTLY[block], most=16)][:ACROSS]
    pixels, _ = drawn([word[:1] for word in words])
    assert blank([word[:1] for word in words], pixels) == []


def test_uyghur_is_joined_and_runs_from_right_to_left_inside_of_chinese() -> None:
    paper = Paper(face=SERIF)
    paper.add_page()
    joined = paper.width(PT)("ئۇنى")
    assert joined != pytest.approx(sum(map(paper.width(PT), "ئۇنى")), abs=0.5)
    paper.made()
    said = [run.text for run in runs("他说مەن 5 ئۇنى。", SERIF)]
    assert said[0] == "他说"
    assert said.index("ئۇنى") < said.index("5") < said.index("مەن ")
    _, text = drawn(["مەن ئۇنى"])
    assert "مەن ئۇنى" in text


def test_a_stack_of_tibetan_and_a_word_of_mongolian_are_one_piece_and_are_read_again() -> None:
    words = ["བསྒྲུབས་", "ᠮᠣᠩᠭᠣᠯ", "e\u0301", "葛\U000e0100"]
    pixels, text = drawn(words)
    assert blank(words, pixels) == []
    for word in words[:2]:
        assert word in text
    paper = Paper(face=SERIF)
    assert paper.width(PT)("སྒྲ") < sum(map(paper.width(PT), ("ས", "ག", "ར")))
    paper.made()


def test_a_text_wraps_onto_the_next_page() -> None:
    paper = Paper()
    paper.add_page()
    paper.paragraph("很长的说明𨰿 ཡིག " * 400, size=10, pitch=6)
    document = pypdfium2.PdfDocument(paper.made())
    try:
        assert len(document) > 1
        assert sum(page.get_textpage().get_text_range().count("𨰿") for page in document) == 400
    finally:
        document.close()
