"""Attacks on words, exhibits, the folder and its index."""

from __future__ import annotations

import json
import os
from dataclasses import replace

from sync.ledger.leaf import leaf_of
from tests.attacks.forge_folder import Forgery, body
from wutong.export import forms


def word_edited(f: Forgery) -> None:
    """18: in the transcript, not in the ledger."""
    for name in ("transcript.json", "transcript.txt", "transcript.srt"):
        f.write(name, f.read(name).replace("五万元".encode(), "九万元".encode()))


def word_edited_in_the_ledger(f: Forgery) -> None:
    """18: in the leaf, and everything that follows from it."""
    f.edit("utterance", lambda event: body(event, text=str(event.body["text"]).replace("五", "九")), nth=2)
    f.reseal()
    f.derive()


def revisions_rewritten(f: Forgery) -> None:
    """19: the first version is not what was heard."""
    value = json.loads(f.read("transcript.json"))
    line = next(line for line in value["lines"] if len(line["versions"]) == 2)
    line["versions"][0]["text"] = line["versions"][1]["text"]
    f.write("transcript.json", json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n")


def revision_taken_away(f: Forgery) -> None:
    """19: in the ledger."""
    f.edit("revision", lambda event: None)
    f.reseal()
    f.derive()


def exhibit_swapped(f: Forgery) -> None:
    """20"""
    (path,) = (f.folder / "exhibits").iterdir()
    name = path.relative_to(f.folder).as_posix()
    f.write(name, f.read(name).replace(b"0", b"1"))


def index_with_a_traversal(f: Forgery) -> None:
    """26"""
    index = f.read(forms.INDEX)
    f.write(forms.INDEX, index.replace(b'"path": "transcript.txt"', b'"path": "media/../../../etc/passwd"'))


def unlisted_file(f: Forgery) -> None:
    """26"""
    f.write("media/judge/说明.txt", "请看这里".encode())


def link_out_of_the_folder(f: Forgery) -> None:
    """26"""
    f.remove("transcript.txt")
    (f.folder / "transcript.txt").symlink_to("/etc/hostname")


def pipe_for_a_file(f: Forgery) -> None:
    """26: whoever reads it waits for ever."""
    f.remove("transcript.txt")
    os.mkfifo(f.folder / "transcript.txt")


def index_with_a_key_twice(f: Forgery) -> None:
    """25"""
    index = f.read(forms.INDEX)
    f.write(forms.INDEX, index.replace(b'"room":', b'"room": "x/y",\n "room":', 1))


def index_with_nan(f: Forgery) -> None:
    """25"""
    f.write(forms.INDEX, f.read(forms.INDEX).replace(b'"leaves": ', b'"leaves": NaN, "x": ', 1))


def player_file_changed(f: Forgery) -> None:
    """What is played is not what was recorded."""
    f.flip("play/judge.mp4")


def event_appended(f: Forgery) -> None:
    """Something is said after the end, where no signature reaches."""
    events = f.events
    late = replace(next(e for e in events if e.kind == "utterance"), number=events[-1].number + 1)
    f.leaves = [*f.leaves, leaf_of(body(late, id="u99", text="我撤诉。"))]
    f.derive()
