"""The case as the event `open` says it: what was entered or planned, and what its kind said on that day.

Promises: a kind that no file knows any more, or none at all, hinders nothing: the case number says it, else it
is civil. The names of roles go into the record, so that no later edit of a file changes who signs.
"""

from __future__ import annotations

from typing import cast

from sync.cases.shelf import CaseKinds
from sync.record.bodies.session import OpenedCase
from sync.record.docket import Case


def opened_case(case: Case, name: str, kinds: CaseKinds) -> OpenedCase:
    """`name`: the id of the docket's entry, else of the hearing."""
    kind_id, kind = kinds.of(case.kind, case.case_no)
    said = cast(OpenedCase, {"id": name, **case.model_dump(include=set(Case.model_fields))})
    said["kind"] = kind_id
    said["branch"] = kind.phrases
    said["roles"] = kind.roles
    said["bench"] = kind.bench
    said["paper"] = kind.paper
    said["notices"] = kind.notices
    said["marks"] = kind.marks
    return said
