"""The edge as a service: the hearing's state, the panel and the display, on one port of the room."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import structlog
from fastapi import FastAPI

from edge.api.cases import add_cases
from edge.api.clerks import add_clerks
from edge.api.court_systems import add_court_systems
from edge.api.hearing import add_routes
from edge.api.metrics import RoomMetrics
from edge.api.phrases import add_phrases, phrasebook_of
from edge.api.sealing import add_sealing
from edge.api.signing import add_signing
from edge.api.transcript import add_transcript
from edge.api.websockets import add_sockets
from edge.checks.transcript_checks import TranscriptChecks, add_checks
from edge.clerks.center_door import CenterDoor
from edge.clerks.clerk_book import ClerkBook
from edge.clerks.panel_entry import EMERGENCY, PanelEntry
from edge.documents.jobs import Making
from edge.exhibits.pictures import PagePictures
from edge.hearing.alarms import AlarmRules
from edge.hearing.commands import HearingCommands
from edge.hearing.sealing import SealingCommands, end_with_hearing
from edge.integrity.audit_witness import TOPIC, AuditWitness
from edge.integrity.notary import Notary
from edge.integrity.room_audit import RoomAudit
from edge.integrity.status import Integrity, heard_of, words_of
from edge.panel_tls import PanelTls, plain_alarms
from edge.selftest.runner import SelfTestRunner
from edge.signing.commands import SigningCommands
from edge.state.display import DisplayToken
from edge.state.kind_alarms import kind_alarms
from edge.state.room_state import RoomState
from edge.transcript.commands import TranscriptCommands
from hardware.profile import Profile
from sync.http import pages
from sync.http.monitoring.doors import Monitoring
from sync.http.rights.access import Access
from sync.http.rights.origins import Origins
from sync.http.serve import new_app, serving
from sync.ledger.keys import CENTER
from sync.ledger.note import Verifier
from sync.room.checkpoints import Checkpoints
from sync.room.clock import RoomClock
from sync.room.enrollment import center_key
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient
from sync.room.messages import RoomAlarm
from sync.room.paths import RoomPaths
from sync.room.signer import RoomSigner
from sync.runtime.files.secrets import read_secret
from sync.runtime.process.service import Lifeline
from sync.tls.identity import TlsFiles, TlsIdentity

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Edge:
    """The parts of one room's edge, put together but not yet running."""

    app: FastAPI
    state: RoomState
    pictures: PagePictures
    alarms: AlarmRules
    selftest: SelfTestRunner
    signing: SigningCommands
    checks: TranscriptChecks
    room_log: RoomLog
    checkpoints: Checkpoints
    notary: Notary
    integrity: Integrity
    tls: PanelTls | None
    audit: RoomAudit
    audit_witness: AuditWitness
    metrics: RoomMetrics
    monitoring: Monitoring
    entry: PanelEntry
    files: contextlib.ExitStack

    def close(self) -> None:
        """Close the room's files; nothing runs any more."""
        self.files.close()


def assemble(profile: Profile) -> Edge:
    """Open the room's files and declare all routes; may block for a second at first start."""
    with contextlib.ExitStack() as files:  # closes them if any part cannot be made
        return _assemble(profile, files)


def _assemble(profile: Profile, files: contextlib.ExitStack) -> Edge:
    layout = RoomPaths(profile.storage.data)
    room_log = files.enter_context(contextlib.closing(RoomLog(layout.log)))
    state = RoomState(profile, layout, room_log, RoomClock.open(layout.clock))
    alarms = AlarmRules(state)
    token = DisplayToken(layout.display_token)
    access = Access.open(layout.access, {"clerk": "书记员"})
    app = new_app(f"{profile.room.court_name} {profile.room.room_name}")
    origins = Origins(profile.panel.public_origin, "panel.public_origin", names=profile.tls.names)
    tls = PanelTls(profile) if profile.serves_tls else None
    secure = tls is not None and not profile.policy.is_open
    audit = RoomAudit(
        lambda body: state.append("access", body, hearing=None),
        lambda: None if state.hearing is None else state.hearing.id,
    )
    name = f"room_{profile.room.court}_{profile.room.room}"
    entry = _entry_of(profile, layout, state, access)
    access.install(
        app,
        name,
        https=secure,
        audit=audit.note,
        outcomes=audit,
        origins=origins,
        code_opens=entry.code_opens,
    )
    add_clerks(app, entry, access)
    selftest = SelfTestRunner(state)
    pictures = PagePictures(state)
    commands = HearingCommands(state, alarms, selftest, pictures)
    add_routes(app, state, commands, token, selftest, access)
    add_sealing(app, SealingCommands(state))
    transcript = TranscriptCommands(state)
    add_transcript(app, state, transcript, access)
    signing = SigningCommands(state, Making(profile, layout))
    add_signing(app, state, signing, access)
    add_court_systems(app, state, commands)
    add_cases(app, state)
    add_phrases(app, state, phrasebook_of(state))
    checks = TranscriptChecks(state)
    add_checks(app, checks)
    add_sockets(app, state, access, token)
    metrics = RoomMetrics.of(state)
    monitoring = metrics.monitoring()
    monitoring.install(app)
    pages.install(app, ["panel", "display"], home="panel")
    checkpoints = files.enter_context(contextlib.closing(Checkpoints(layout.log)))
    signer = RoomSigner(layout.signer_socket)
    notary = Notary(
        profile.address,
        signer,
        state.clock,
        room_log,
        checkpoints,
        words=lambda hearing: words_of(state, hearing),
        heard=lambda: heard_of(state),
        tell=lambda alarms: state.set_alarms([*_lasting_alarms(profile, state), *entry.alarms(), *alarms]),
        probe=signer.probe,
        said=lambda number: state.feed.publish_json("log", {"number": number}),
    )
    integrity = Integrity(state, checkpoints)
    audit_witness = AuditWitness(
        profile.address,
        signer,
        lambda: center_key(layout),
        lambda body, key: state.append("access", body, hearing=None, key=key),
        lambda: room_log.keys(f"{TOPIC}/"),
    )
    return Edge(
        app,
        state,
        pictures,
        alarms,
        selftest,
        signing,
        checks,
        room_log,
        checkpoints,
        notary,
        integrity,
        tls,
        audit,
        audit_witness,
        metrics,
        monitoring,
        entry,
        files.pop_all(),
    )


def _entry_of(profile: Profile, layout: RoomPaths, state: RoomState, access: Access) -> PanelEntry:
    """Who comes to the panel: by the center where the room has one."""

    def verifiers() -> list[Verifier]:
        key = center_key(layout)
        return [] if key is None else [Verifier(CENTER, key)]

    book = ClerkBook(layout.clerks, profile.address, verifiers)
    door = None
    if profile.center.url:
        token = profile.center.token_file
        files = TlsFiles(layout.authority, layout.tls_certificate, layout.tls_key)
        door = CenterDoor(
            profile.center.url,
            profile.address,
            verifiers,
            book.now_s,
            identity=TlsIdentity(files),
            token="" if token is None else read_secret(token, "the room's token"),
        )

    def tell() -> None:
        others = [alarm for alarm in state.alarms if alarm["code"] != EMERGENCY]
        state.set_alarms([*others, *entry.alarms()])

    entry = PanelEntry(state, access, book, door, tell)
    access.hold_persons(entry.stands, {})
    return entry


def _lasting_alarms(profile: Profile, state: RoomState) -> list[RoomAlarm]:
    """Of settings and files that somebody wrote."""
    now_ns = state.clock.now_ns()
    return [*plain_alarms(profile, now_ns), *kind_alarms(state.kinds.kinds(), now_ns)]


async def serve(profile: Profile, lifeline: Lifeline) -> None:
    """Serve until told to stop; a restart shows the same hearing in the same state."""
    policy = profile.policy
    # A wire of another service never keeps a hearing from being opened: that service refuses it.
    for alarm in plain_alarms(profile, 0):
        log.error("plain_wire", what=alarm["text"])
    edge = await asyncio.to_thread(assemble, profile)
    await edge.state.start()
    await end_with_hearing(edge.state)
    await edge.selftest.load()
    edge.state.set_alarms([*_lasting_alarms(profile, edge.state), *edge.state.alarms])
    try:
        context = None if edge.tls is None else edge.tls.context
        serve_panel = serving(
            edge.app, profile.panel.host, profile.panel.port, tls=context, plain=lambda: policy.is_open
        )
        async with serve_panel as port, asyncio.TaskGroup() as group:
            if edge.tls is not None:
                group.create_task(edge.tls.run())
            group.create_task(edge.state.run())
            group.create_task(edge.metrics.counts.run())
            group.create_task(edge.monitoring.run())
            group.create_task(edge.alarms.run())
            group.create_task(edge.pictures.run())
            group.create_task(edge.selftest.run())
            group.create_task(edge.signing.run())
            group.create_task(edge.checks.run())
            group.create_task(edge.notary.run())
            group.create_task(edge.integrity.run())
            group.create_task(edge.audit.run())
            group.create_task(edge.entry.run())
            group.create_task(edge.audit_witness.run(FeedClient(edge.state.layout.feed("uplink"), [TOPIC])))
            log.info("edge_serving", host=profile.panel.host, port=port)
            lifeline.ready()
    finally:
        await edge.entry.close()
        await edge.state.feed.stop()
        edge.close()
