"""Step 1: the folder holds exactly the files of its index, all of them plain, none outside, each as the index says.

Segments, exhibits, documents and what is in `play/` are hashed by the steps that read them (8, 10 and 12), so that
nothing is read twice; here they are counted by their size.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from wutong.export import forms
from wutong.verify.case import MAX_LEDGER_BYTES, ExportCase
from wutong.verify.verdict import Reason, false, lacking

MAX_FILES = 200_000
LATER = ("media/", "exhibits/", "documents/", "play/")


def run(case: ExportCase) -> Iterator[Reason]:
    """Reasons `folder`, `form`, `index`, `path`, `unlisted`, `not-a-file`, `file-missing`, `file-differs`."""
    index = case.index
    if index is None:
        why = case.trouble.get(forms.INDEX, "")
        if not os.path.lexists(case.path(forms.INDEX)):
            yield lacking("folder", forms.INDEX)
        elif case.trouble.get("index-code") == "form":
            yield lacking("form", why, forms.KNOWN[-1])
            return  # what this form calls unlisted or missing, the other may not
        else:
            yield false("path" if case.trouble.get("index-code") == "path" else "index", why)
    listed = {} if index is None else {f.path: f for f in index.files}
    found: set[str] = set()
    for name, is_plain in _files(case.folder):
        found.add(name)
        if not is_plain:
            yield false("not-a-file", name)
        elif index is not None and name not in listed and name not in (forms.INDEX, forms.SIGNATURE):
            yield false("unlisted", name)
    for name, entry in listed.items():
        if name not in found and name not in case.places:
            if not name.startswith("media/"):  # step 8 names a segment that is missing
                yield false("file-missing", name)
            continue
        path = case.path(name)
        if not name.startswith(LATER):
            data = case.read(name, min(max(entry.bytes, 1), MAX_LEDGER_BYTES))
            if data is None or len(data) != entry.bytes or hashlib.sha256(data).hexdigest() != entry.sha256:
                yield false("file-differs", name)
        elif not name.startswith("media/") and path.lstat().st_size != entry.bytes:
            yield false("file-differs", name)


def _files(folder: Path) -> Iterator[tuple[str, bool]]:
    """(path below the folder, whether it is a plain file) of everything that is no folder; never follows a link."""
    count = 0
    for base, folders, files in os.walk(folder, followlinks=False):
        links = [name for name in folders if (Path(base) / name).is_symlink()]
        for name in sorted([*files, *links]):
            path = Path(base) / name
            count += 1
            if count > MAX_FILES:
                return
            yield path.relative_to(folder).as_posix(), stat.S_ISREG(path.lstat().st_mode)
