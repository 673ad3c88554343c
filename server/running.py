"""A center while it runs: what goes on in it besides answering, and in which order it begins and ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import structlog

from server.access.shared_sessions import USE_S
from server.center import Center
from server.fleet.kept_facts import LOOK_S as FACTS_S
from server.leases.center_process import colleague_by_address, colleague_by_certificate
from sync.http.serve import serving
from sync.http.wire.connection import Colleague, no_colleague
from sync.runtime.process.service import cancel_and_wait, every

log = structlog.get_logger(__name__)

DEMAND_S = 5.0
POLL_S = 1.0
DEVICES_S = 2.0
"""So soon a device that another process has revoked signs for nobody any more."""
EXPIRE_S = 3600.0
STORE_S = 15.0
DOCKETS_S = 10.0
MONTHS_S = 6 * 3600.0
VIEWED_S = 5.0
HEARD_S = 2.0


@contextlib.asynccontextmanager
async def running(center: Center, host: str, port: int, *, proxies: Sequence[str] = ()) -> AsyncIterator[int]:
    """Run a center while the block runs; yields its port."""

    if center.sessions is not None:
        await center.sessions.begin()
    await center.register.begin()
    await center.rights.start()  # before anybody can ask
    await center.persons.start(center.named_courts)
    await center.enrollment.refresh()  # before the first event comes
    await center.signing.read(center.archive)
    await center.tls.start(center.rooms)
    if center.share is not None:
        await center.share.start()
    center.broker.start()
    tasks = [
        asyncio.create_task(center.audit.run(), name="audit"),
        asyncio.create_task(every(POLL_S, center.poll), name="poll"),
        asyncio.create_task(center.live.wall.run(), name="wall"),
        *center.tls.tasks(),
        asyncio.create_task(every(DEMAND_S, center.demand), name="demand"),
        asyncio.create_task(every(DEVICES_S, center.refresh_devices), name="devices"),
        asyncio.create_task(every(STORE_S, center.look_at_store), name="store"),
        asyncio.create_task(every(VIEWED_S, center.viewed.poll), name="viewed"),
        asyncio.create_task(every(HEARD_S, center.furthest.poll), name="furthest"),
        asyncio.create_task(center.monitoring.run(), name="metrics"),
        *([] if center.is_gateway else _tasks_of_the_record(center)),
        *([] if center.share is None else center.share.tasks()),
    ]
    if center.sessions is not None:
        tasks.append(asyncio.create_task(every(USE_S, center.sessions.say_use), name="sessions"))

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not center.failed.done():
            log.error("part_failed", part=task.get_name(), why=repr(error))
            center.failed.set_exception(error)

    for task in tasks:
        task.add_done_callback(ended)
    try:
        context, plain = center.tls.served()
        colleague: Colleague = no_colleague
        if center.share is not None:
            colleague = colleague_by_address if context is None else colleague_by_certificate
        async with serving(
            center.app, host, port, proxies=proxies, tls=context, plain=plain, colleague=colleague
        ) as bound:
            yield bound
    finally:
        signs_last = center.share is None or center.share.keeper.owns_first()
        if center.share is not None:
            center.share.stop_acting()
        center.watching.poll(all_of_them=True)
        await cancel_and_wait(*tasks)
        await center.viewed.poll(all_of_them=True)
        await center.playing.close()
        if signs_last:
            await center.sign_last()
        await center.broker.stop()
        await center.rights.stop()
        if center.share is not None:
            await center.share.stop()
        await asyncio.to_thread(center.folds.close)
        await asyncio.to_thread(center.database.close)


def _tasks_of_the_record(center: Center) -> list[asyncio.Task[None]]:
    """What goes on where rooms may be owned."""
    return [
        asyncio.create_task(center.ingest.run(), name="ingest"),
        asyncio.create_task(center.witness.run(), name="witness"),
        asyncio.create_task(center.ledger.run(), name="audit-ledger"),
        asyncio.create_task(center.record.catch_up_times(), name="times"),
        asyncio.create_task(center.tests.purge_for_ever(), name="selftests"),
        asyncio.create_task(every(EXPIRE_S, center.expire_uploads), name="uploads"),
        asyncio.create_task(every(FACTS_S, center.facts.poll), name="facts"),
        asyncio.create_task(every(DOCKETS_S, center.unrecorded.poll), name="unrecorded"),
        asyncio.create_task(every(MONTHS_S, center.database.keep_months), name="months"),
    ]
