"""What simulated rooms replay: media that fit together on any time line, and a script of honest events."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from pathlib import Path

import pytest

from server.events.admission import admit
from sync.media.access_unit import StageStamps
from sync.media.fmp4 import index_file
from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.runtime.units import NS_PER_S
from wutong.bench.center.rooms.reel import Reel
from wutong.bench.center.rooms.reel_making import make_reel
from wutong.bench.center.rooms.replayed_track import ReplayedTrack
from wutong.bench.center.rooms.script import HeldHearing, Script, ScriptCaption, ScriptFact

pytestmark = pytest.mark.process
REEL_S = 3
BEGIN_NS = 50 * NS_PER_S + 123_456_789


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Reel:
    folder = tmp_path_factory.mktemp("reel")
    asyncio.run(make_reel(folder, seconds=REEL_S))
    return Reel.load(folder)


def test_a_reel_is_as_heavy_as_a_room_of_the_demo(reel: Reel) -> None:
    assert [track.id for track in reel.tracks] == ["bench", "parties", "mics", "mix"]
    assert 0.08e6 < reel.bytes_per_s < 0.4e6
    for track in reel.tracks:
        assert 6 < track.kept_per_s < 11
        assert track.live[0].key_frame
    assert [round(track.live_per_s) for track in reel.tracks[:2]] == [25, 25], "each picture leaves alone"
    assert all(StageStamps.of(one.data) for track in reel.tracks[:2] for one in track.live)
    assert all(StageStamps.of(one.data) is None for track in reel.tracks for one in track.kept)
    assert all(2_000 < len(still) < 40_000 for track in reel.tracks[:2] for still in track.thumbnails)
    assert {exhibit.filename: len(exhibit.pictures) for exhibit in reel.exhibits}.keys() == {
        "iou.pdf",
        "transfer-slip.png",
    }
    for exhibit in reel.exhibits:
        assert exhibit.pages == len(exhibit.pictures)
        assert hashlib.sha256(exhibit.file.read_bytes()).hexdigest() == exhibit.sha256
        for picture in exhibit.pictures:
            assert hashlib.sha256(reel.page(exhibit, picture).read_bytes()).hexdigest() == picture["sha256"]


def test_a_track_goes_on_over_the_end_of_the_reel_in_files_without_a_hole(reel: Reel, tmp_path: Path) -> None:
    for source in reel.tracks:
        track = ReplayedTrack(source, segment_s=2, first_share=0.5, utc_offset_ns=10 * NS_PER_S)
        folder = tmp_path / source.id
        track.begin(BEGIN_NS)
        track.keep(folder)
        closed, spans, close_ns = [], [], BEGIN_NS + 8 * NS_PER_S
        while track.is_kept:
            if track.due_ns > close_ns:
                track.keep_until(close_ns)
            due_ns = track.due_ns
            fragment, bodies = track.take()
            assert fragment.to_ns == due_ns
            spans.append((fragment.from_ns, fragment.to_ns))
            closed += bodies
        assert all(abs(b[0] - a[1]) <= 1000 for a, b in itertools.pairwise(spans))
        assert spans[0][0] == pytest.approx(BEGIN_NS, abs=100_000)
        assert spans[-1][1] >= close_ns
        assert [body["index"] for body in closed] == list(range(len(closed)))
        assert closed[0]["to_ns"] - closed[0]["from_ns"] < closed[1]["to_ns"] - closed[1]["from_ns"]
        for body in closed:
            path = tmp_path / body["file"]
            index = index_file(path)  # damage would be an error
            assert len(index.fragments) == body["fragments"]
            assert index.fragments[0].key_frame
            assert abs(index.fragments[0].from_ns - body["from_ns"]) <= 1
            first = index.fragments[0].utc_ns
            assert first is not None
            assert first - index.fragments[0].from_ns == pytest.approx(10 * NS_PER_S, abs=1000)
            assert (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) == (
                body["bytes"],
                body["sha256"],
            )


def test_the_script_is_a_hearing_that_the_center_takes_and_that_ends_closed(reel: Reel) -> None:
    script = Script.of(reel)
    times = [moment.at_s for moment in script.moments]
    assert times == sorted(times)
    held = HeldHearing("20260101-090000-00000000", BEGIN_NS, 1)
    hearing = Hearing(held.id)
    for number, moment in enumerate(script.moments, 1):
        if isinstance(moment, ScriptFact):
            event = Event(number, held.id, moment.kind, held.ns(moment.at_s), 1, moment.body(held))
            admit("bench/r001", event.to_json())
            hearing.apply(event)
            if moment.line:
                held.numbers[moment.line] = number
    assert hearing.state == "closed"
    assert hearing.case["public"] is True, "inspectors would see nothing of it"
    corrected = [line for line in hearing.utterances if len(line.versions) > 1]
    assert len(corrected) > 20
    assert not any(version.get("void") for line in corrected for version in line.versions)
    assert 0.4 < script.facts / script.end_s < 0.7
    captions = [moment for moment in script.moments if isinstance(moment, ScriptCaption)]
    assert 0.7 < len(captions) / script.end_s < 1.1


@pytest.mark.parametrize("begun_s", [170.0, 227.4, 275.0])
def test_a_hearing_that_begins_in_the_middle_still_has_its_exhibits(reel: Reel, begun_s: float) -> None:
    script = Script.of(reel)
    held = HeldHearing("20260101-090000-00000000", BEGIN_NS, 1)
    hearing = Hearing(held.id)
    for number, moment in enumerate(script.moments, 1):
        if isinstance(moment, ScriptFact) and (moment.at_s >= begun_s or moment.always):
            hearing.apply(Event(number, held.id, moment.kind, held.ns(moment.at_s), 1, moment.body(held)))
    assert hearing.state == "closed"
    assert len(hearing.exhibits) == 2
    assert bool(hearing.presentations) == (begun_s < 200)
