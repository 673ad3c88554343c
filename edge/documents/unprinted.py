"""What a paper will not have: characters without a font, and where each stands, told before anybody signs.

A pure function of the hearing and of the fonts that this machine has. The words themselves stay whole in the record, in
the DOCX and in the JSON: only the PDF has a sign with the code point in place of such a character.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge.documents.form import CourtForm, form_of
from edge.state.shown import ShownPaperPlace, ShownUnprinted
from sync.paper.characters import code_of, missing
from sync.record.hearing import Hearing

MOST, MOST_PLACES = 100, 5


def unprinted(hearing: Hearing, *, court_name: str, room_name: str) -> list[ShownUnprinted]:
    """The characters, each once with its first places; at most `MOST`. Struck lines count: a profile may print them."""
    form = form_of(hearing, court_name=court_name, room_name=room_name, show_struck=True)
    if not missing(text for text, _ in _texts(form)):
        return []
    found: dict[str, ShownUnprinted] = {}
    for text, place in _texts(form):
        for c in missing([text]):
            one = found.setdefault(c, {"character": c, "code": code_of(c), "places": [], "more": 0})
            if len(one["places"]) < MOST_PLACES:
                one["places"].append(place)
            else:
                one["more"] += 1
    return sorted(found.values(), key=lambda one: one["character"])[:MOST]


def _texts(form: CourtForm) -> Iterator[tuple[str, ShownPaperPlace]]:
    """All that is on the paper, and where."""
    yield form.court, {"line": "", "label": "法院"}
    for label, text in form.heads:
        yield text, {"line": "", "label": label}
    for row in form.rows:
        yield row.role + row.text, {"line": row.id, "label": row.role or "记载"}
    for text in form.objections:
        yield text, {"line": "", "label": "补正申请"}
    for person in form.people:
        yield person.role + person.name + person.reason, {"line": "", "label": f"签名：{person.role}"}
