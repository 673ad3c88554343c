"""What the commands print stands there as it is."""

from __future__ import annotations

import io

import pytest
from rich.table import Table

from wutong.terminal import terminal

EVERY_PAIR = ":".join(f"{byte:02X}" for byte in range(256))
"""A fingerprint has any pairs, and some (`:CD:`, `:AB:`) are names of pictures elsewhere."""


@pytest.mark.parametrize("text", [EVERY_PAIR, EVERY_PAIR.lower(), "案由[bold]:smile: [/]", ":warning:"])
def test_no_text_is_taken_for_a_picture_or_markup(text: str) -> None:
    out = io.StringIO()
    console = terminal(file=out, width=4000)
    console.print(text, highlight=False, soft_wrap=True)
    table = Table("row", show_header=False)
    table.add_row(text)
    console.print(table)
    assert out.getvalue().count(text) == 2
