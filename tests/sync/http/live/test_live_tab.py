"""What waits for one browser tab: words before pictures, the newest of what replaces itself, and never too much."""

from __future__ import annotations

import asyncio
import json

import pytest

from edge.api.websockets import TabsListener
from sync.http.live.gateway import Gateway
from sync.http.live.tab import MAX_TEXTS, LiveTab, TooSlowError
from sync.media.envelope import Envelope, Kind, address, pack_init
from sync.media.gop_cache import GopStart
from sync.runtime.units import NS_PER_S

LIMIT_BYTES = 4 * 1024 * 1024


def put(tab: LiveTab, sequence: int, *, key: bool = False, size: int = 100_000) -> None:
    envelope = Envelope(Kind.FRAGMENT, 1, sequence, 0, 0, 0, bytes(size), key_frame=key)
    tab.media("bench", envelope, address("bench", envelope.pack()))


def unpacked(message: str | bytes) -> Envelope:
    assert isinstance(message, bytes)
    return Envelope.unpack(message[6:])


async def test_a_slow_tab_loses_pictures_up_to_a_key_frame_and_no_event() -> None:
    tab = LiveTab(LIMIT_BYTES)
    tab.start("bench", None, GopStart())
    for sequence in range(200):
        put(tab, sequence, key=sequence % 30 == 0)
        tab.text({"type": "event", "event": sequence})
    said = []
    held: list[Envelope] = []
    while tab._texts or tab._media:
        message = await tab.next()
        if isinstance(message, str):
            assert not held, "words come before pictures"
            said.append(json.loads(message))
        else:
            held.append(unpacked(message))
    assert [m["event"] for m in said if m["type"] == "event"] == list(range(200))
    assert {"type": "lost", "address": "bench", "slow": True} in said
    assert sum(len(e.payload) for e in held) <= LIMIT_BYTES + 200_000
    assert tab.lost + len(held) < 200, "what follows a loss waits for a key frame"
    assert held[0].key_frame
    tab.interrupted("bench")
    put(tab, 201)
    put(tab, 202, key=True)
    assert json.loads(str(await tab.next())) == {"type": "lost", "address": "bench", "slow": False}
    assert unpacked(await tab.next()).sequence == 202


async def test_a_tab_that_never_reads_is_cut_off() -> None:
    tab = LiveTab()
    for number in range(MAX_TEXTS + 1):
        tab.text({"type": "event", "event": number})
    with pytest.raises(TooSlowError):
        await tab.next()


async def test_of_what_replaces_itself_only_the_newest_waits() -> None:
    gateway = Gateway()
    tab = LiveTab()
    gateway._tabs.add(tab)
    listener = TabsListener(gateway, lambda: None)
    for number in range(100):
        listener.text({"type": "levels", "value": number})
        listener.text({"type": "caption", "value": {"id": "u1", "text": number}})
    listener.text({"type": "event", "event": {"kind": "utterance", "body": {"id": "u1"}}})
    got = [json.loads(str(await tab.next())) for _ in range(3)]
    assert [m["type"] for m in got] == ["levels", "caption", "event"], "a caption never comes after its utterance"
    assert got[1]["value"]["text"] == 99
    listener.text({"type": "levels", "value": 100})
    assert json.loads(str(await tab.next()))["value"] == 100, "what was sent is not replaced any more"


async def test_a_new_worker_run_begins_with_its_init() -> None:
    tab = LiveTab()
    tab.start("bench", None, GopStart())
    init = Envelope(Kind.INIT, 2, 0, 0, 0, 0, pack_init("video/mp4", b"")).pack()
    put(tab, 1, key=True)
    tab.init("bench", address("bench", init))
    put(tab, 2)
    put(tab, 3, key=True)
    got = [unpacked(await tab.next()) for _ in range(3)]
    assert [(e.kind, e.sequence) for e in got] == [(Kind.FRAGMENT, 1), (Kind.INIT, 0), (Kind.FRAGMENT, 3)]


async def test_a_track_that_begins_again_and_again_keeps_one_beginning_waiting() -> None:
    tab = LiveTab()
    tab.start("bench", None, GopStart())
    put(tab, 1, key=True)
    for run in range(200):
        init = Envelope(Kind.INIT, run, 0, 0, 0, 0, pack_init("video/mp4", bytes(100_000))).pack()
        tab.init("bench", address("bench", init))
        put(tab, run, key=True)
    assert tab._media_bytes < 400_000
    got = [unpacked(await tab.next()) for _ in range(2)]
    assert [(e.kind, e.init_id, e.sequence) for e in got] == [(Kind.INIT, 199, 0), (Kind.FRAGMENT, 1, 199)]


async def test_what_waits_of_a_track_that_is_no_more_watched_is_not_sent() -> None:
    tab = LiveTab()
    tab.start("bench", b"init", GopStart())
    put(tab, 1, key=True)
    tab.stop("bench")
    put(tab, 2, key=True)
    tab.text("the only message")
    assert json.loads(str(await tab.next())) == "the only message"
    assert not tab._media


async def test_a_tab_that_begins_with_a_long_gop_loses_none_of_it() -> None:
    tab = LiveTab(LIMIT_BYTES)
    messages = [
        address("bench", Envelope(Kind.FRAGMENT, 1, n, 0, 0, 0, bytes(100_000), key_frame=n == 0).pack())
        for n in range(150)
    ]
    tab.start("bench", None, GopStart(messages, whole=True))
    put(tab, 150)
    assert tab.lost == 0
    held = [unpacked(await tab.next()).sequence for _ in range(151)]
    assert held == list(range(151))
    for sequence in range(151, 251):  # what was begun excuses nothing any more
        put(tab, sequence)
    assert tab.lost > 0


async def test_a_tab_that_begins_after_a_loss_sees_one_picture_and_goes_on_with_the_next_key_frame() -> None:
    tab = LiveTab(LIMIT_BYTES)
    key = address("bench", Envelope(Kind.FRAGMENT, 1, 0, 0, 0, 0, b"k", key_frame=True).pack())
    tab.start("bench", None, GopStart([key]))
    put(tab, 7)
    put(tab, 8, key=True)
    assert [unpacked(await tab.next()).sequence for _ in range(2)] == [0, 8]
    assert not tab._media


def at(tab: LiveTab, name: str, second: int, *, key: bool = False) -> None:
    envelope = Envelope(Kind.FRAGMENT, 1, second, second * NS_PER_S, 0, 1_000_000, b"m", key_frame=key)
    tab.media(name, envelope, address(name, envelope.pack()))


async def test_a_tab_that_is_far_behind_goes_on_with_the_newest() -> None:
    tab = LiveTab()
    for name in ("bench", "aside"):
        tab.start(name, None, GopStart())
        at(tab, name, 1, key=True)
    for second in range(2, 8):
        at(tab, "bench", second)
    at(tab, "aside", 2)
    at(tab, "bench", 8, key=True)
    at(tab, "bench", 9)
    at(tab, "bench", 10, key=True)
    assert json.loads(str(await tab.next())) == {"type": "lost", "address": "bench", "slow": True}
    got = []
    while tab._texts or tab._media:
        got.append(unpacked(await tab.next()).sequence)
    assert got == [1, 2, 8, 9, 10], "the other track, and of this one what is not far behind"
    assert tab._media_bytes == 0


async def test_of_three_seconds_without_a_line_what_is_new_is_left_of_picture_and_sound() -> None:
    tab = LiveTab()
    for name in ("bench", "mix"):
        tab.start(name, None, GopStart())
    for n in range(80):  # 25 pictures a second, a key frame each second; sound can begin anywhere
        for name, key in (("bench", n % 25 == 0), ("mix", True)):
            envelope = Envelope(Kind.FRAGMENT, 1, n, n * NS_PER_S // 25, 0, 40_000, b"m", key_frame=key)
            tab.media(name, envelope, address(name, envelope.pack()))
    left: dict[bytes, list[int]] = {b"bench": [], b"mix": []}
    while tab._texts or tab._media:
        message = await tab.next()
        if isinstance(message, bytes):
            length = message[0]
            left[message[1 : 1 + length]].append(Envelope.unpack(message[1 + length :]).sequence)
    assert left[b"bench"] == list(range(50, 80)), "from the first key frame that is no second old"
    assert left[b"mix"][0] >= 50
    assert left[b"mix"] == list(range(left[b"mix"][0], 80))


async def test_while_nobody_knows_who_may_see_what_nothing_is_sent_and_then_it_is_judged_anew() -> None:
    known, sealed = asyncio.Event(), False

    async def until_known() -> None:
        await known.wait()

    tab = LiveTab(LIMIT_BYTES, may_see=lambda hearing: hearing is None or not sealed, until_known=until_known)
    tab.text({"of": "h1"}, hearing="h1")
    tab.text({"of": "nobody"})
    sent = asyncio.ensure_future(tab.next())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not sent.done()
    sealed = True  # what was taken out of the queue already is judged as what waits
    known.set()
    assert json.loads(await sent) == {"of": "nobody"}
