"""The five verdicts with their exit codes, and a reason: a stable code, a verdict and the sentence for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sync.text.printable import printable
from wutong.verify.words import SENTENCES, VERDICTS


class Verdict(IntEnum):
    """The number is the exit code of `wutong verify`."""

    AUTHENTIC = 0
    WITH_GAPS = 10
    NOT_AUTHENTIC = 20
    UNSEALED = 30
    NOT_VERIFIABLE = 40

    @property
    def word(self) -> str:
        """As docs/integrity.md spells it."""
        return _WORDS[self]

    def text(self, lang: str) -> str:
        """For people, `zh` or `en`."""
        return VERDICTS[self.word][lang]


_WORDS = {
    Verdict.AUTHENTIC: "authentic",
    Verdict.WITH_GAPS: "authentic-with-gaps",
    Verdict.NOT_AUTHENTIC: "not-authentic",
    Verdict.UNSEALED: "unsealed",
    Verdict.NOT_VERIFIABLE: "not-verifiable",
}
_WEIGHT = (
    Verdict.AUTHENTIC,
    Verdict.WITH_GAPS,
    Verdict.UNSEALED,
    Verdict.NOT_VERIFIABLE,
    Verdict.NOT_AUTHENTIC,
)
"""The heaviest reason decides: what is false is false although something else is missing as well."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why; AUTHENTIC for what people should know and what changes nothing. `about` fills the sentence."""

    code: str
    verdict: Verdict
    about: tuple[str, ...] = ()
    step: int = 0

    def text(self, lang: str) -> str:
        """The sentence, `zh` or `en`; what came from the folder is shown without control characters."""
        filled = [shown(item) for item in self.about] + ["", "", ""]
        return SENTENCES[self.code][lang].format(*filled)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "code": self.code,
            "step": self.step,
            "verdict": self.verdict.word,
            "about": [shown(item) for item in self.about],
            "zh": self.text("zh"),
            "en": self.text("en"),
        }


def heaviest(reasons: Iterable[Reason]) -> Verdict:
    """The verdict that follows from all reasons together."""
    return max((r.verdict for r in reasons), key=_WEIGHT.index, default=Verdict.AUTHENTIC)


def shown(text: str) -> str:
    """What came from the folder, at a length and in characters that a terminal may be shown."""
    return printable(text[:300])


def false(code: str, *about: object) -> Reason:
    """Something differs from what was signed."""
    return Reason(code, Verdict.NOT_AUTHENTIC, tuple(str(a) for a in about))


def lacking(code: str, *about: object) -> Reason:
    """A signature, a certificate or the center's word is missing."""
    return Reason(code, Verdict.NOT_VERIFIABLE, tuple(str(a) for a in about))


def unended(code: str, *about: object) -> Reason:
    """Nothing says that this is the end."""
    return Reason(code, Verdict.UNSEALED, tuple(str(a) for a in about))


def gap(code: str, *about: object) -> Reason:
    """The record itself says that something is missing."""
    return Reason(code, Verdict.WITH_GAPS, tuple(str(a) for a in about))


def remark(code: str, *about: object) -> Reason:
    """Worth knowing; changes no verdict."""
    return Reason(code, Verdict.AUTHENTIC, tuple(str(a) for a in about))
