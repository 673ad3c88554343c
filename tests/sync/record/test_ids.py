"""What names a thing is of few characters, so that no two names look, fold or sort as one, and none is a path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from server.ingest.uploads.tus_folder import UploadFolder
from sync.errors import WutongError
from sync.record.bodies.limits import LineName, Name, Sha256
from sync.tls.names import is_room, subject

GOOD = {"name": "h1", "sha256": "0" * 64}
TRICKS = [
    "{}\n",
    "\n{}",
    "{}\0",
    "{} ",
    "{}\u2028",
    "{}\u200b",
    "\u202e{}",
    "{}\u0301",
    "\uff48{}",
    "\u0131{}",
    "\u212a{}",
    "\u0661{}",
    "{}\u00b2",
    "../{}",
    "{}%00",
    "{}+",
    "#{}",
    "$SYS{}",
    "{}\ud800",
]


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize(("kind", "good"), [(Name, "h1"), (LineName, "l1"), (Sha256, "0" * 64)])
def test_what_only_looks_like_a_name_is_refused(kind: Any, good: str, trick: str) -> None:
    names: TypeAdapter[str] = TypeAdapter(kind)
    assert names.validate_python(good) == good
    if kind is LineName and trick == "../{}":
        return  # acts of browsers are named so, and no file ever is
    with pytest.raises(ValidationError):
        names.validate_python(trick.format(good))


@pytest.mark.parametrize("trick", TRICKS)
def test_no_room_and_no_upload_is_named_so(tmp_path: Path, trick: str) -> None:
    assert not is_room(trick.format("court1/c03"))
    assert not is_room(trick.format("court1") + "/c03")
    folder = UploadFolder(tmp_path)
    assert folder.location("0" * 32)
    with pytest.raises(WutongError):
        folder.location(trick.format("0" * 32))


@pytest.mark.parametrize("name", ["Court1/c03", "court1/C03", "court1/c03/", "/c03", "court1//c03", "-c/1", "center"])
def test_a_room_has_one_spelling(name: str) -> None:
    assert not is_room(name)
    assert subject(name) != subject("court1/c03")
