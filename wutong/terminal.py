"""Where the commands print: names of courts, cases and files are shown as they are, whatever brackets they have.

What has no shape is shown as U+FFFD: a name from a folder, a network or a device can write no line of its own, move no
cursor and choose no color.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from sync.text.printable import printable


class PlainConsole(Console):
    """A console whose texts, those in tables too, hold no escape sequences but its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What rich is about to write, piece by piece."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable(segment.text, lines=True), segment.style)


def terminal(**options: Any) -> Console:
    """A console that takes no text for markup, nor `:cd:` in a fingerprint for a picture; `options` are rich's."""
    return PlainConsole(markup=False, emoji=False, **options)
