"""What each kind of event says: one type for each kind, for whoever writes it, folds it, admits it or shows it.

A body is the JSON object that stands in the room's log, in the ledger's leaf and in an export, so a type here is a
`TypedDict`: no object stands between a fact and its bytes, a key that is not said is not there, and further keys are
kept and mean nothing. `BODIES` lists all kinds; `CHECKED` are those whose form the center's door demands, because the
fold of the others takes what it understands of anything, and a record that lacks an event is never whole there.
docs/protocol.md says who writes what; `web/src/lib/contract/` is generated from here (`tools/make_contract.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.record.bodies import evidence, media, session, signing, words

BODIES: Mapping[str, Any] = {
    "open": session.OpenBody,
    "pause": session.PauseBody,
    "resume": session.ResumeBody,
    "close": session.CloseBody,
    "segment": media.SegmentBody,
    "gap": media.GapBody,
    "alarm": media.AlarmBody,
    "clock": media.ClockBody,
    "utterance": words.UtteranceBody,
    "revision": words.RevisionBody,
    "check": words.CheckBody,
    "transcript": signing.TranscriptBody,
    "objection": signing.ObjectionBody,
    "signature": signing.SignatureBody,
    "document": signing.DocumentBody,
    "exhibit": evidence.ExhibitBody,
    "drawn": evidence.DrawnBody,
    "present": evidence.PresentBody,
    "withdraw": evidence.WithdrawBody,
    "mark": evidence.MarkBody,
    "mute": session.MuteBody,
    "sealed_part": session.SealedPartBody,
    "replacement": session.ReplacementBody,
    "seal": session.SealBody,
    "selftest": media.SelfTestBody,
    "access": media.AccessBody,
}
"""kind -> the type of its body"""

CHECKED = frozenset(
    {
        "open",
        "segment",
        "utterance",
        "revision",
        "check",
        "transcript",
        "objection",
        "signature",
        "document",
        "sealed_part",
    }
)
