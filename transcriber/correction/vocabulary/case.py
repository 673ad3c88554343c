"""The vocabulary of one hearing: what its docket entry names, and what courts say of such.

Promises: everything comes from the case and from files, nothing from what was heard; the same case gives the same
vocabulary. Names stand in it alone and as they are spoken: with the role of who bears them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sync.text.names import split_names
from transcriber.correction.vocabulary.lexicon import Term, court_terms, ideographs, merged
from transcriber.correction.vocabulary.statutes import statutes

KINDS = {
    "person": "姓名",
    "place": "地名",
    "statute": "法律",
    "exhibit": "证据",
    "term": "本案用语",
    "other": "本案用语",
}
"""The kinds of a case's vocabulary, and how a reason calls them."""
MOST = 200
"""Words that one case may bring."""
_PROMPT = 60
"""Characters of the bias for an engine: more makes Whisper leave out words."""
_ECHO = 4
"""Characters from which on what an engine says back is no answer of a speaker: 张三，李四."""
_BENCH = ("审判长", "审判员", "人民陪审员", "陪审员")


class Vocabulary:
    """Terms of one hearing, the names of the case first."""

    def __init__(self, terms: Iterable[Term], branch: str = "", told: Iterable[str] = ()) -> None:
        self.terms = tuple(terms)
        self._told = tuple(told)
        self.branch = branch
        """民事, 刑事 or 行政, as the case number says; empty when it does not."""

    @classmethod
    def of_case(cls, case: Mapping[str, Any], extra: Iterable[Term] = ()) -> Vocabulary:
        """Of the `case` in an event `open`; `extra`: the court's own terms. What is malformed in `case` is left out."""
        terms = merged(_case_terms(case), extra, _statute_terms(), court_terms())
        return cls(terms, _branch(case), [*_names(case), *(word for _, word in _told(case))])

    @property
    def bias(self) -> str:
        """A short text for an engine that takes one: the names that are likely to come; empty without a case."""
        out = ""
        for word in dict.fromkeys(self._told):
            if len(out) + len(word) + 1 <= _PROMPT:
                out += ("，" if out else "") + word
        return out

    def echoed(self, text: str) -> bool:
        """Whether `text` is nothing but a stretch of the bias: an engine that was told says it back over silence."""
        said, told = ideographs(text), ideographs(self.bias)
        words = [word for word in map(ideographs, self._told) if word and word in said]
        return len(said) >= _ECHO and len(words) >= 2 and said in told


def _case_terms(case: Mapping[str, Any]) -> list[Term]:
    named = _parties(case)
    found: list[Term] = []
    for role, names in named.items():
        for name in split_names(names):
            found += [Term(t, "姓名", of_case=True) for t in _spoken_names(role, name)]
    found += [Term(t, "当事人", of_case=True) for t in _title(case, named)]
    found += [Term(word, KINDS[kind], of_case=True) for kind, word in _told(case)]
    return [t for t in found if 2 <= len(ideographs(t.text)) <= 40][:MOST]


def _parties(case: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of the parties by their role."""
    parties = case.get("parties")
    return {str(r): n for r, n in parties.items() if isinstance(n, str)} if isinstance(parties, dict) else {}


def _names(case: Mapping[str, Any]) -> list[str]:
    return [name for names in _parties(case).values() for name in split_names(names)]


def _told(case: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (kind, word) of the docket entry's vocabulary, in the order of the kinds."""
    told = case.get("vocabulary")
    kinds = told if isinstance(told, dict) else {}
    return [(k, w) for k in KINDS for w in _list(kinds.get(k)) if isinstance(w, str) and w.strip()]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _branch(case: Mapping[str, Any]) -> str:
    found = re.search(r"[民刑行](?=[初终再申监])", str(case.get("case_no") or ""))
    return {"民": "民事", "刑": "刑事", "行": "行政"}[found.group()] if found else ""


def _spoken_names(role: str, name: str) -> list[str]:
    spoken = [name, role + name, f"我叫{name}"]
    if role in _BENCH:
        spoken += [f"由审判员{name}担任审判长", f"审判员{name}", f"人民陪审员{name}"]
    if role == "书记员":
        spoken += [f"书记员{name}担任法庭记录", f"书记员{name}担任记录"]
    if role in ("原告", "被告", "第三人", "上诉人", "被上诉人", "被告人"):
        spoken += [f"{role}{name}诉称", f"{role}{name}辩称"]
    return spoken


def _title(case: Mapping[str, Any], named: Mapping[str, str]) -> list[str]:
    cause = str(case.get("cause") or "")
    title = str(case.get("title") or "")
    out = [title, title.removesuffix("一案") + "一案" if title else "", cause, f"{cause}一案" if cause else ""]
    for one, other in (("原告", "被告"), ("上诉人", "被上诉人"), ("申请人", "被申请人")):
        if named.get(one) and named.get(other):
            suing = f"{one}{named[one]}诉{other}{named[other]}"
            out += [f"诉{other}{named[other]}", suing, f"{suing}{cause}一案" if cause else suing]
    return [t for t in out if t]


def _statute_terms() -> list[Term]:
    terms = []
    for one in statutes():
        terms += [Term(name, "法律") for name in (one.title, *one.short) if len(name) <= 40]
    return terms
