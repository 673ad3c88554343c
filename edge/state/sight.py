"""Who may see which parts of a hearing on the panel (封存区段): the one judgment of all routes of the room.

While a hearing runs its clerk sees all of it, marked as sealed: it is his record, and he sits in the room. Once it is
closed, who was signed in before the close reads the record through and has it signed, and still sees what is
`restricted`; who signs in later sees nothing of a sealed part. What is `withdrawn` nobody sees after the close. What
leaves the room on paper holds no sealed part whoever asks. Refuses: to guess; a session without a time is a later one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.errors import AccessError
from sync.http.rights.people import Session
from sync.record.hearing import Hearing, State
from sync.record.sealed_parts import EVERYTHING_SEEN, NOTHING_SEEN, Unseen
from sync.record.withheld import hides_line, pages_withheld, withheld
from sync.runtime.units import NS_PER_S

if TYPE_CHECKING:
    from edge.state.room_state import RoomState

MAKES_THE_RECORD = frozenset({"restricted"})
NOBODY = frozenset[str]()


def unseen_of(state: RoomState, session: Session) -> Unseen:
    """What of the hearing that was opened last this session may not see; of a panel that is locked, nothing is seen."""
    if session.locked:
        return NOTHING_SEEN
    hearing = state.hearing
    if hearing is None or hearing.state is not State.CLOSED:
        return EVERYTHING_SEEN
    closed_utc_ns = hearing.closed_utc_ns
    held_it = closed_utc_ns is not None and session.since_s * NS_PER_S <= closed_utc_ns
    return state.unseen(hearing, MAKES_THE_RECORD if held_it else NOBODY)


def sealed_part() -> AccessError:
    """What whoever asks for something of a sealed part is told."""
    return AccessError(
        "此段已封存，闭庭后登录的人员不能查看；解除封存请联系中心的档案管理员"
        " (this part of the hearing is sealed; only the archivist at the center lifts it)",
        code="sealed-part",
    )


def check_line(hearing: Hearing | None, name: str, unseen: Unseen) -> None:
    """`AccessError` "sealed-part" when a line may not be read."""
    line = None if hearing is None or not unseen else hearing.transcript.get(name)
    if line is not None and hides_line(line, unseen):
        raise sealed_part()


def check_page(hearing: Hearing | None, exhibit: str, page: int | None, unseen: Unseen) -> None:
    """`AccessError` "sealed-part" when a page of an exhibit may not be seen; None: its whole file."""
    if hearing is None or not unseen:
        return
    hidden = {number for name, number in pages_withheld(hearing, unseen) if name == exhibit}
    if all(one.id != exhibit for one in withheld(hearing, unseen).exhibits) or (
        hidden if page is None else page in hidden
    ):
        raise sealed_part()
