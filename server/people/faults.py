"""What is wrong with a form or a line of an import, field by field, each in its own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.errors import WutongError


@dataclass(frozen=True, slots=True)
class FieldFault:
    """`field`: where it stands, as `posts.0.court`; `text`: what is wrong there and what to do."""

    field: str
    text: str

    def said(self) -> dict[str, str]:
        """As pages get it."""
        return {"field": self.field, "text": self.text}


class FaultyFormError(WutongError):
    """Some fields cannot be taken; nothing was changed."""

    code = "invalid"

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        super().__init__("有内容需要更正，尚未保存 (some fields are not right; nothing was saved)")
        self.faults = list(faults)
