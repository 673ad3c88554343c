"""Attacks on revised words, signatures, refusals, objections and documents."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fpdf import FPDF

from sync.room.paths import RoomPaths
from tests.attacks.forge_folder import Forgery, body
from tests.support.exports.honest_room import OPENED_UTC_NS, Center, S
from tests.support.exports.signed_words import paper
from wutong.export import forms

OPENED = dt.datetime.fromtimestamp(OPENED_UTC_NS / S, dt.UTC)


def _facts(f: Forgery, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(f.read(name))
    change(value)
    f.write(name, json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n")


def _follow(f: Forgery) -> None:
    """All that needs no key fits again."""
    f.reseal()
    f.derive()


def line_changed_without_a_revision(f: Forgery) -> None:
    """In every file of words, and in no leaf."""
    for name in ("transcript.json", "transcript.txt", "transcript.srt", "transcript.vtt"):
        f.write(name, f.read(name).replace("本人身份".encode(), "代理身份".encode()))


def void_act_made_to_count(f: Forgery) -> None:
    """What the panel refused looks as if it had counted."""
    _facts(f, "transcript.json", lambda value: _void(value).update(counts=True))


def _void(value: dict[str, Any]) -> dict[str, Any]:
    return next(v for line in value["lines"] for v in line["versions"] if not v["counts"])


def writer_renamed(f: Forgery) -> None:
    """Another clerk wrote it."""

    def change(value: dict[str, Any]) -> None:
        versions = [v for line in value["lines"] for v in line["versions"] if v["name"] == "王五"]
        versions[0]["name"] = "赵七"

    _facts(f, "transcript.json", change)


def writer_changed_in_the_ledger(f: Forgery) -> None:
    """The corrector's act becomes the clerk's."""
    f.edit("revision", lambda event: body(event, by="clerk", name="王五"), nth=2)
    _follow(f)


def reason_of_a_revision_changed_in_the_ledger(f: Forgery) -> None:
    f.edit("revision", lambda event: body(event, reason="笔误"), nth=3)
    _follow(f)


def signature_moved(f: Forgery) -> None:
    """Who signed the first version has signed the last."""

    def change(value: dict[str, Any]) -> None:
        first, last = (version["sha256"] for version in value["transcripts"])
        moved = next(s for s in value["signatures"] if s["transcript"] == first)
        moved |= {"transcript": last, "of_last_words": True}

    _facts(f, forms.SIGNING, change)


def signature_moved_in_the_ledger(f: Forgery) -> None:
    last = [e.body["sha256"] for e in f.events if e.kind == "transcript"][-1]
    f.edit("signature", lambda event: body(event, transcript=last))
    _follow(f)


def strokes_changed(f: Forgery) -> None:
    _facts(f, forms.SIGNING, lambda value: value["signatures"][0]["strokes"][0][0].__setitem__(0, 0.2))


def strokes_changed_in_the_ledger(f: Forgery) -> None:
    f.edit("signature", lambda event: body(event, strokes=[[[0.2, 0.2, 0, 1]]]))
    _follow(f)


def refusal_removed(f: Forgery) -> None:
    def change(value: dict[str, Any]) -> None:
        value["signatures"] = [s for s in value["signatures"] if s["act"] != "refuse"]

    _facts(f, forms.SIGNING, change)


def refusal_removed_in_the_ledger(f: Forgery) -> None:
    f.edit("signature", lambda event: None, nth=2)
    _follow(f)


def refusal_made_a_signature_in_the_ledger(f: Forgery) -> None:
    f.edit("signature", lambda event: body(event, act="sign", reason=""), nth=2)
    _follow(f)


def refused_objection_removed(f: Forgery) -> None:
    _facts(f, forms.SIGNING, lambda value: value["objections"].pop())


def counts_of_the_certificate_changed(f: Forgery) -> None:
    _facts(f, forms.CERTIFICATE, lambda value: value["signing"].update(refusals=0))


def _document(f: Forgery, kind: str) -> str:
    (path,) = (f.folder / "documents").glob(f"*.{kind}")
    return path.relative_to(f.folder).as_posix()


def document_changed(f: Forgery) -> None:
    name = _document(f, "pdf")
    f.write(name, f.read(name) + b"% forged\n")


def documents_swapped(f: Forgery) -> None:
    pdf, docx = _document(f, "pdf"), _document(f, "docx")
    first, second = f.read(pdf), f.read(docx)
    f.write(pdf, second)
    f.write(docx, first)


def document_removed(f: Forgery) -> None:
    f.remove(_document(f, "docx"))


def document_added(f: Forgery) -> None:
    f.write(f"documents/{'ab' * 32}.pdf", b"%PDF-1.7 other words")


def form_lowered(f: Forgery) -> None:
    """A verifier that judged by the first form would not look at signatures."""
    f.remove(forms.SIGNING)
    f.remove("transcript.vtt")
    for path in (f.folder / "documents").iterdir():
        f.remove(path.relative_to(f.folder).as_posix())
    old = forms.Index.from_bytes(f.read(forms.INDEX))
    files = tuple(file for file in old.files if forms.is_path(file.path, forms.FIRST))
    f.write(forms.INDEX, replace(old, form=forms.FIRST, files=files).to_bytes())
    f.derive_as(forms.FIRST)


# With the device's key, and a center that has believed it.


def signature_of_other_words(f: Forgery) -> None:
    f.edit("signature", lambda event: body(event, transcript="ab" * 32))
    f.resign()


def words_changed_under_the_signatures(f: Forgery) -> None:
    """The leaf of a revision says another text than the one that was laid before people."""

    def change(event: Any) -> Any:
        (one,) = event.body["changes"]
        return body(event, changes=[{**one, "set": {"text": "现在闭庭。"}}])

    f.edit("revision", change, nth=3)
    f.resign()


def _put_paper(f: Forgery, data: bytes) -> None:
    """Another PDF stands in for the one of the leaf, in every place that says which it is."""
    old, sha256 = _document(f, "pdf"), hashlib.sha256(data).hexdigest()
    f.remove(old)
    f.write(forms.document_path(sha256, "pdf"), data)
    f.edit("document", lambda event: body(event, sha256=sha256, sm3="", bytes=len(data)))
    f.resign()


def document_signed_by_another_center(f: Forgery) -> None:
    """The same room by its name, with a key that another center has certified."""
    other = RoomPaths(f.folder.parent / f"{f.folder.name}-other")
    key = Center(Ed25519PrivateKey.generate()).enroll(other, OPENED)
    _put_paper(f, paper(other, key))


def document_signed_by_another_room(f: Forgery) -> None:
    """A device that this center knows, of another courtroom."""
    other = RoomPaths(f.folder.parent / f"{f.folder.name}-other")
    key = f.center.enroll(other, OPENED, "jianshan/room-04")
    _put_paper(f, paper(other, key))


def document_without_a_signature(f: Forgery) -> None:
    """No forgery: what a room makes that is not enrolled yet."""
    page = FPDF()
    page.add_page()
    _put_paper(f, bytes(page.output()))


def document_changed_after_its_signature(f: Forgery) -> None:
    data = bytearray(f.read(_document(f, "pdf")))
    data[300] ^= 1
    _put_paper(f, bytes(data))


def document_of_other_words(f: Forgery) -> None:
    f.edit("document", lambda event: body(event, transcript="ab" * 32))
    f.resign()
