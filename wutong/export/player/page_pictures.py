"""Pictures of the pages that were shown, so that the page of an export needs no reader of any other format.

They are those that the room drew and everybody saw, by the hash in its log. Of hearings of before there were any, and
where one is not here, the page is drawn now, in a process of its own: what a party brought must not end an export. A
page that cannot be drawn is left to the browser.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

from edge.exhibits.drawer import PageDrawer
from sync.errors import MediaError
from sync.record.bodies.evidence import DrawnPicture
from sync.record.hearing import Hearing
from sync.record.timeline import Exhibit
from sync.runtime.files.digests import checks_of

FindPicture = Callable[[Exhibit, DrawnPicture], Path | None]


def pages_shown(hearing: Hearing, exhibits: Path, find: FindPicture, out: Path) -> dict[tuple[str, int], str]:
    """(exhibit's id, page) -> name of a JPEG in `out`, of every page that was on the screens."""
    known = {exhibit.id: exhibit for exhibit in hearing.exhibits}
    wanted = sorted({(p.exhibit, p.page) for p in hearing.presentations if p.exhibit in known})
    made: dict[tuple[str, int], str] = {}
    missing: dict[str, list[int]] = {}
    for name, page in wanted:
        exhibit = known[name]
        file = f"{exhibit.sha256[:12]}-{page}.jpg"
        if _kept(hearing, exhibit, page, find, out / file):
            made[name, page] = file
        else:
            missing.setdefault(name, []).append(page)
    for name, pages in missing.items():
        exhibit = known[name]
        drawn = asyncio.run(_draw(exhibits / exhibit.sha256, pages))
        for page, data in drawn.items():
            file = f"{exhibit.sha256[:12]}-{page}.jpg"
            (out / file).write_bytes(data)
            made[name, page] = file
    return made


def _kept(hearing: Hearing, exhibit: Exhibit, page: int, find: FindPicture, out: Path) -> bool:
    """The largest picture that the record names and that has its hash."""
    drawn = hearing.pictures.get(exhibit.id, {})
    for (number, _), picture in sorted(drawn.items(), reverse=True):
        path = find(exhibit, picture) if number == page else None
        if path is not None and checks_of(path).sha256 == picture["sha256"]:
            shutil.copyfile(path, out)
            return True
    return False


async def _draw(file: Path, pages: list[int]) -> dict[int, bytes]:
    try:
        drawer = await PageDrawer.open(file)
    except MediaError:
        return {}
    made = {}
    try:
        for page in pages:
            with contextlib.suppress(MediaError):
                made[page] = (await drawer.draw(page, 1)).data
    finally:
        await drawer.close()
    return made
