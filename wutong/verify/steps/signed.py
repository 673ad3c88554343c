"""Part of step 10: what was laid before people to sign were the words of that moment, and nobody signed other words.

Says of each signature, as a remark, whether it is of the last words. An excerpt has not all words, so nothing of it can
be said there.
"""

from __future__ import annotations

from collections.abc import Iterator

from sync.record.signing import REFUSE, SIGN, false_versions
from wutong.export.derived.signing import last_words
from wutong.verify.case import ExportCase
from wutong.verify.verdict import Reason, false, remark


def run(case: ExportCase) -> Iterator[Reason]:
    """Reasons `words-hash`, `signature-unknown`, `document-unknown`; remarks `signed`, `signed-before`, `refused`,
    `objection-refused`."""
    if case.hearing is None or case.is_excerpt:
        return
    signing = case.hearing.signing
    if not (signing.versions or signing.signatures or signing.documents or signing.objections):
        return
    hearing = str(case.known[0].hearing)
    for number in false_versions(hearing, case.known):
        yield false("words-hash", number)
    versions = {version.sha256: version.version for version in signing.versions}
    last = last_words(case.known)
    for one in signing.signatures:
        who = f"{one.role} {one.name}".strip()
        if one.act not in (SIGN, REFUSE):
            continue
        if one.transcript not in versions:
            yield false("signature-unknown", who)
        elif one.act == REFUSE:
            yield remark("refused", who, one.reason)
        elif one.transcript == last:
            yield remark("signed", who)
        else:
            yield remark("signed-before", who, versions[one.transcript])
    for document in signing.documents:
        if document.transcript not in versions:
            yield false("document-unknown", document.file)
    for objection in signing.objections:
        if objection.outcome == "refused":
            who = f"{objection.by['role']} {objection.by.get('name', '')}".strip()
            yield remark("objection-refused", who, objection.reason)
