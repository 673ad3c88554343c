"""The edge as a service: the hearing's state, the panel and the display, on one port of the room."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from fastapi import FastAPI

from edge.alarms import Alarms
from edge.checks.desk import Checks, add_checks
from edge.control import add_control
from edge.desk import Desk
from edge.display import DisplayToken
from edge.documents.making import Making
from edge.integrity import Integrity, heard_of, words_of
from edge.notary import Notary
from edge.phrases.routes import add_phrases, phrasebook_of
from edge.routes import add_routes
from edge.selftest import SelfTest
from edge.signing import SigningDesk
from edge.signingroutes import add_signing
from edge.sockets import add_sockets
from edge.transcript import TranscriptDesk
from edge.transcript_routes import add_transcript
from edge.view import RoomView
from hardware.profile import Profile
from sync.checkpoints import Checkpoints
from sync.clock import RoomClock
from sync.http import pages
from sync.http.access import Access
from sync.http.serve import new_app, serving
from sync.layout import RoomLayout
from sync.ledger.keys import make_key
from sync.roomlog import RoomLog
from sync.service import Lifeline

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Edge:
    """The parts of one room's edge, put together but not yet running."""

    app: FastAPI
    view: RoomView
    alarms: Alarms
    selftest: SelfTest
    signing: SigningDesk
    checks: Checks
    room_log: RoomLog
    checkpoints: Checkpoints
    notary: Notary
    integrity: Integrity


def assemble(profile: Profile) -> Edge:
    """Open the room's files and declare all routes; may block for a second at first start."""
    layout = RoomLayout(profile.storage.data)
    room_log = RoomLog(layout.log)
    view = RoomView(profile, layout, room_log, RoomClock.open(layout.clock))
    alarms = Alarms(view)
    token = DisplayToken(layout.display_token)
    access = Access.open(layout.access, {"clerk": "书记员"})
    app = new_app(f"{profile.room.court_name} {profile.room.room_name}")
    access.install(app, f"room_{profile.room.court}_{profile.room.room}")
    selftest = SelfTest(view)
    desk = Desk(view, alarms, selftest)
    add_routes(app, view, desk, token, selftest)
    words = TranscriptDesk(view)
    add_transcript(app, view, words, access)
    signing = SigningDesk(view, Making(profile, layout))
    add_signing(app, view, signing)
    add_control(app, view, desk)
    add_phrases(app, view, phrasebook_of(view))
    checks = Checks(view)
    add_checks(app, checks)
    add_sockets(app, view, access, token)
    pages.install(app, ["panel", "display"], home="panel")
    checkpoints = Checkpoints(layout.log)
    notary = Notary(
        profile.address,
        make_key(layout.device_key),
        view.clock,
        room_log,
        checkpoints,
        words=lambda hearing: words_of(view, hearing),
        heard=lambda: heard_of(view),
        tell=view.set_alarms,
        said=lambda number: view.feed.publish_json("log", {"number": number}),
    )
    integrity = Integrity(view, checkpoints)
    return Edge(app, view, alarms, selftest, signing, checks, room_log, checkpoints, notary, integrity)


async def serve(profile: Profile, lifeline: Lifeline) -> None:
    """Serve until told to stop; a restart shows the same hearing in the same state."""
    edge = await asyncio.to_thread(assemble, profile)
    await edge.view.start()
    await edge.selftest.load()
    try:
        async with serving(edge.app, profile.panel.host, profile.panel.port) as port, asyncio.TaskGroup() as group:
            group.create_task(edge.view.run())
            group.create_task(edge.alarms.run())
            group.create_task(edge.selftest.run())
            group.create_task(edge.signing.run())
            group.create_task(edge.checks.run())
            group.create_task(edge.notary.run())
            group.create_task(edge.integrity.run())
            log.info("edge_serving", host=profile.panel.host, port=port)
            lifeline.ready()
    finally:
        await edge.view.feed.stop()
        edge.room_log.close()
        edge.checkpoints.close()
