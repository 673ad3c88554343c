"""What the panel is shown of the self-test, of the checks and of signing: made in their folders, shown by the room's
state.

The generator of the screens' contract reads these types (`tools/make_contract.py`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from typing_extensions import TypedDict

from sync.record.bodies.signing import DocumentKind
from sync.record.signers import ShownSigner
from sync.record.signing import Document, Objection

ProofState = Literal["waiting", "heard", "ok", "warn", "failed"]


class ShownTestFinding(TypedDict):
    """What is known of one device."""

    state: ProofState
    why: str


class ShownCameraView(TypedDict):
    """Which seats the clerk saw in a camera's picture, and when."""

    seats: list[str]
    at_utc_ms: float


class ShownTestResult(TypedDict):
    """What a test found, as the screens get it."""

    id: str
    mode: Literal["tone", "speech"]
    seats: dict[str, ShownTestFinding]
    cameras: dict[str, ShownTestFinding]
    mix: ShownTestFinding
    server: ShownTestFinding
    views: dict[str, ShownCameraView]
    """camera -> what was seen in it; no camera that nobody has looked at."""


class ShownSelfTest(ShownTestResult):
    """设备自检: the test that runs, else the last one, and whether it counts."""

    state: Literal["none", "running", "passed", "failed", "expired"]
    stage: Literal["", "keeping", "speaking", "proving", "sending"]
    progress: float
    """0…1"""
    failure: str
    """Why no test could be made."""
    opening: Literal["required", "advise"]
    hindrances: list[str]
    """`selftest` when no test counts; else `seat/…`, `camera/…`, `mix`, `server`."""
    at_utc_ms: float | None
    until_utc_ms: float | None


class ShownPlace(TypedDict):
    """A place in a line, in characters."""

    line: str
    at: int
    length: int


FindingKind = Literal["name", "amount", "date", "statute", "pair", "doubled", "blank", "notice", "proposal"]

ShownFinding = TypedDict(
    "ShownFinding",
    {
        "id": str,
        "kind": FindingKind,
        "line": str,
        "at": int,
        "length": int,
        "from": str,
        "to": str | None,
        "why": str,
        "also": ShownPlace | None,
        "ignored": bool,
    },
)
"""What the checks (文书纠错) found in a line, as the screens get it; positions in characters. The `id` is made of what
was found: ignored, it stays so until its words change. `to` is what accepting it writes, null where only a person can
say; `also` is the other place of a contradiction."""


class Words(StrEnum):
    """What the room knows of its transcriber."""

    DONE = "done"
    BUSY = "busy"
    ABSENT = "absent"


class LaidWords(TypedDict):
    """What was laid before people; `current`: these are the words of now."""

    id: str
    version: int
    sha256: str
    lines: int
    through: int
    at_utc_ns: int
    current: bool


class ShownPaperPlace(TypedDict):
    """Where on the paper something stands: the line's id, or none and what stands before it (案号, a role and name)."""

    line: str
    label: str


class ShownUnprinted(TypedDict):
    """A character that no font of this machine has: the PDF shows 〓 and `code` in its place."""

    character: str
    code: str
    places: list[ShownPaperPlace]
    """The first of them."""
    more: int
    """How many further places."""


class ShownFailure(TypedDict):
    """Why a kind of document could not be made."""

    kind: DocumentKind
    why: str


class ShownSigning(TypedDict):
    """`GET /api/transcript/signing`."""

    hearing: str
    transcript: LaidWords | None
    people: list[ShownSigner]
    objections: list[Objection]
    documents: list[Document]
    words: Words
    """Whether words may still come."""
    complete: bool
    making: float | None
    """How much of a document is made, 0…1."""
    failure: str
    """Why no document can be made."""
    failures: list[ShownFailure]
    """Kinds that could not be made, while others were; they are tried again."""
    unprinted: list[ShownUnprinted]
    """What the PDF will not have, said before anybody signs."""
