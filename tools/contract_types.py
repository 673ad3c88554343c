"""Which types the screens' contract is made of, what they are called there, and into which files they go.

`tools/make_contract.py` writes it. A route that a page asks has its answer in `ROOTS`, and its body in `REQUESTS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from edge.api.cases import ReadNumber, ShownKinds
from edge.api.clerks import ClerkCredentials, NewPin, PanelSession, PinEntry
from edge.api.hearing import Consents, FromDocket, NewCameraView, NewMark, NewPause, NewTest, NewView, Unlisted
from edge.api.phrases import FilledPhrase, PhraseFileAnswer
from edge.api.sealing import StretchToSeal
from edge.api.signing import Final, NewObjection, NewSignature
from edge.api.transcript import NewRevision, NewUndo, NewVoice, RevisionAnswer
from edge.clerks.panel_entry import ShownEntry
from edge.state.messages import PanelMessage, ShownRoomState, WallState
from server.access.grants import ShownGrant
from server.api.archive import ArchivedHearings, ArchivedWords, ListedHearing
from server.api.parties import GrantedHearing, NewGrant
from server.api.recorded_hearing import NewClassification, RecordedHearing
from server.api.sealing import Lifting, NewSealedPart
from server.entrance.account.account_bodies import RecoveryCodes, ShownAccount, ShownSessions, SignUpCode
from server.entrance.helping_routes import NewAct, ShownActs
from server.entrance.steps import LoginAndPassword, NewFirst, SignInStep, SignInWays
from server.fleet.fleet_api import ToldProfile
from server.fleet.fleet_view import Fleet
from server.fleet.room_codes import IssuedCode
from server.fleet.room_list import DevicesListed, RoomsListed
from server.fleet.rooms_api import ForcedAct, NewRoom, RenamedRoom, RevokedDevice
from server.live.tab_messages import CenterMessage
from server.overview.audit_page import AuditListed
from server.overview.court_counts import CourtReport
from server.roster.people_import import ImportAnswer
from server.roster.people_list import CourtsListed, PeopleListed
from server.roster.roster_api import ChangedCourt, ChangedPerson, NewCourt, NewPerson
from server.store.archive.rows import SearchHit
from sync.http.live.gateway import MAX_WATCHED
from sync.http.rights.session_bodies import SessionAnswer
from sync.record.event import AFTER_SEAL
from sync.record.explanation import HARMLESS, NOT_CHECKED, ShownExplanation
from sync.record.hearing import PREROLL_MOST_NS
from sync.record.signing import KINDS
from sync.record.timeline import PauseReason
from sync.record.transcript import CLERK, CORRECTOR, UNSURE_BELOW
from wutong.setup.api import CameraAccount, TypedCamera
from wutong.setup.choices import ChosenCenter, SetupChoices
from wutong.setup.messages import ChoiceFault, ShownSetup

FILES = {
    "sync.record.bodies": "bodies",
    "sync.record": "record",
    "sync.ledger": "record",
    "sync.room": "room",
    "sync.http": "session",
    "server.entrance": "entrance",
    "server.overview": "administration",
    "server.people": "administration",
    "server.roster": "administration",
    "server.fleet": "administration",
    "edge": "room",
    "server": "center",
    "wutong.setup": "setup",
}
"""Where the types of a package are written: the first that matches."""

NAMES = {
    "OpenedCase": "Case",
    "OpenedSeat": "Seat",
    "OpenedTrack": "TrackInfo",
    "State": "HearingState",
    "Alarm": "HearingAlarm",
    "LastSeal": "Seal",
    "ShownHearing": "Hearing",
    "Utterance": "Line",
    "LineVersion": "Version",
    "LineProposal": "Proposal",
    "LevelsMessage": "Levels",
    "CaptionMessage": "Caption",
    "SpeakingMessage": "Speaking",
    "LinkStatus": "Link",
    "ProofProgress": "Integrity",
    "RoomAlarm": "Alarm",
    "RoomNames": "RoomName",
    "ShownRoomState": "RoomState",
    "PanelMessage": "RoomMessage",
    "ShownSelfTest": "SelfTestState",
    "ShownTestFinding": "TestFinding",
    "ShownSigning": "SigningState",
    "ShownSigner": "Signer",
    "ShownFinding": "CheckFinding",
    "WallState": "DisplayState",
    "ShownExplanation": "Explanation",
    "SessionAnswer": "Session",
    "ListedHearing": "HearingRow",
    "HearingRow": "StoredHearing",
    "ShownGrant": "Grant",
    "Classification": "Level",
    "NewClassification": "NewLevel",
    "Unlisted": "NewHearing",
    "Settings": "NewSettings",
    "Document": "SignedDocument",
    "Words": "WordsStill",
    "Event": "RoomEvent",
    "ShownSetup": "Setup",
    "ShownCandidate": "SetupCamera",
    "ShownSetupStep": "SetupStep",
    "ShownListening": "SetupListening",
    "ShownMicrophones": "SetupMicrophones",
    "ShownRoomNow": "SetupRoomNow",
}
"""What a type is called by the screens, where that is another name."""

ROOTS: Mapping[str, Any] = {
    "RoomState": ShownRoomState,
    "RoomMessage": PanelMessage,
    "DisplayState": WallState,
    "ShownKinds": ShownKinds,
    "ReadNumber": ReadNumber,
    "CenterMessage": CenterMessage,
    "HearingRow": ListedHearing,
    "RecordedHearing": RecordedHearing,
    "SearchHit": SearchHit,
    "ArchivedHearings": ArchivedHearings,
    "AuditListed": AuditListed,
    "CourtReport": CourtReport,
    "CourtsListed": CourtsListed,
    "PeopleListed": PeopleListed,
    "ImportAnswer": ImportAnswer,
    "RoomsListed": RoomsListed,
    "DevicesListed": DevicesListed,
    "Fleet": Fleet,
    "IssuedCode": IssuedCode,
    "ToldProfile": ToldProfile,
    "ArchivedWords": ArchivedWords,
    "Grant": ShownGrant,
    "GrantedHearing": GrantedHearing,
    "Explanation": ShownExplanation,
    "SignInWays": SignInWays,
    "SignInStep": SignInStep,
    "ShownAccount": ShownAccount,
    "ShownSessions": ShownSessions,
    "RecoveryCodes": RecoveryCodes,
    "SignUpCode": SignUpCode,
    "ShownActs": ShownActs,
    "Session": SessionAnswer,
    "ShownEntry": ShownEntry,
    "PanelSession": PanelSession,
    "FilledPhrase": FilledPhrase,
    "PhraseFileAnswer": PhraseFileAnswer,
    "RevisionAnswer": RevisionAnswer,
    "Setup": ShownSetup,
    "ChoiceFault": ChoiceFault,
}
REQUESTS: Sequence[type[BaseModel]] = (
    *(
        LoginAndPassword,
        NewFirst,
        NewAct,
        FromDocket,
        Unlisted,
        NewPause,
        Consents,
        NewView,
        NewMark,
        NewTest,
        NewCameraView,
        NewRevision,
        NewVoice,
        NewUndo,
        ClerkCredentials,
        PinEntry,
        NewPin,
    ),
    *(Final, NewSignature, NewObjection, NewClassification, NewSealedPart, Lifting, StretchToSeal, NewGrant),
    *(ChosenCenter, SetupChoices, TypedCamera, CameraAccount),
    *(NewCourt, ChangedCourt, NewPerson, ChangedPerson),
    *(NewRoom, RenamedRoom, ForcedAct, RevokedDevice),
)
"""Bodies of requests: in these, and in what they are made of, what has a default need not be said."""
CONSTANTS: Mapping[str, tuple[Any, str]] = {
    "AFTER_SEAL": (sorted(AFTER_SEAL - {"seal"}), "What may still be said of a sealed hearing, and is sealed again."),
    "SIGNING_KINDS": (sorted(KINDS), "The kinds of events by which words are signed."),
    "PAUSE_REASONS": ([reason.value for reason in PauseReason], "The only three for which a recording is interrupted."),
    "HARMLESS": (sorted(HARMLESS), "Codes of alarms that do not affect the recording; all others do."),
    "NOT_CHECKED": (list(NOT_CHECKED), "Code and subject of the alarm that files were not decoded again in time."),
    "PREROLL_MOST_MS": (PREROLL_MOST_NS // 1_000_000, "So long before the opening a record may begin."),
    "UNSURE_BELOW": (UNSURE_BELOW, "A word of less probability than this is underlined."),
    "CLERK": (CLERK, "Who revises by hand."),
    "CORRECTOR": (CORRECTOR, "What revises by itself."),
    "MOST_IN_SIGHT": (MAX_WATCHED, "So many rooms a tab may have in sight at once; of a longer list the first."),
}
