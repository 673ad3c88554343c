"""The composed picture: where things lie, what is drawn again, what it shows of a hearing, and when it gives up."""

from __future__ import annotations

import os
import subprocess
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from hardware import timecode
from hardware.drivers.x264_options import coding
from hardware.program.camera import STALE_NS, CameraFeed, Picture
from hardware.program.canvas import BAR, CACHED_TEXTS, INK, PIT, Canvas, Text
from hardware.program.composer import Composer
from hardware.program.exhibit import DrawnPage, PageView
from hardware.program.layout import BOTTOM, COLUMN_MOST, HEIGHT, TOP, WIDTH, Rect, fit, layout
from hardware.program.pace import BAD_S, GRACE_NS, HALVED_GRACE_NS, PaceVerdict, PictureRateGovernor
from hardware.program.page import PageRequest, draw, seen, sharpest
from hardware.program.scene import IDLE, Scene, SceneAct, ShownExhibit, scene_at
from hardware.workers.picture_encoder import PictureEncoder
from sync.media.envelope import Envelope, Kind, pack_init
from sync.media.fmp4 import BoxReader, Init, retime
from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.record.timeline import Exhibit
from sync.room.paths import page_picture_name
from tests.support.files.decoded_pictures import gray

S = 1_000_000_000


def overlap(a: Rect, b: Rect) -> bool:
    return a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom


@pytest.mark.parametrize("exhibit", [False, True])
@pytest.mark.parametrize("cameras", [1, 2, 3, 4])
def test_nothing_lies_over_anything_else(cameras: int, exhibit: bool) -> None:
    found = layout(cameras, exhibit=exhibit)
    assert len(found.cameras) == cameras
    assert (found.exhibit is not None) == exhibit
    places = [*found.cameras, *([found.exhibit] if found.exhibit else [])]
    parts = [*places, *(place.caption for place in places), TOP, BOTTOM]
    for a, b in combinations(parts, 2):
        assert not overlap(a, b), (a, b)
    for part in parts:
        assert all(value % 2 == 0 for value in asdict(part).values())
        assert part.x >= 0
        assert part.right <= WIDTH
        assert part.bottom <= HEIGHT
    for camera in found.cameras:
        assert camera.width / camera.height == pytest.approx(16 / 9, rel=0.02)
        assert camera.width >= 320  # its time code stays readable
    if found.exhibit:
        assert found.exhibit.width > 2.5 * found.cameras[0].width


def test_the_places_are_these() -> None:
    (alone,) = layout(1, exhibit=False).cameras
    assert alone.width > 1500
    assert abs(alone.x + alone.width // 2 - WIDTH // 2) <= 2
    left, right = layout(2, exhibit=False).cameras
    assert (left.width, left.height) == (right.width, right.height) == (928, 522)
    assert left.y == right.y
    large, upper, lower = layout(3, exhibit=False).cameras
    assert large.width > 2 * upper.width
    assert upper.x == lower.x > large.right
    assert upper.y == large.y
    column = layout(2, exhibit=True).cameras
    assert COLUMN_MOST - 4 <= column[0].width <= COLUMN_MOST
    assert column[0].right == WIDTH - 24


def test_a_picture_of_other_proportions_is_shown_whole() -> None:
    assert fit(4, 3, Rect(100, 100, 1600, 900)) == Rect(300, 100, 1200, 900)
    assert fit(9, 16, Rect(0, 0, 320, 180)).height == 180


@pytest.mark.process
def test_a_line_of_text_is_drawn_once_and_cut_where_it_is_too_long() -> None:
    canvas, text = Canvas(), Text(30, INK, BAR)
    canvas.fill(Rect(0, 0, WIDTH, HEIGHT), BAR)
    for _ in range(20):
        at = text.put(canvas, "(2026)黑05民初123号", Rect(32, 0, 600, 64))
    assert text.drawn == 1
    assert canvas.luma[at.y : at.bottom, at.x : at.right].max() > 200
    assert canvas.luma[:, at.right + 2 :].max() < 40
    short = text.put(canvas, "很长的案由" * 40, Rect(32, 100, 300, 64))
    assert short.width <= 300


@pytest.mark.process  # fontconfig names the font
def test_the_last_texts_are_kept_and_the_oldest_is_drawn_anew() -> None:
    text = Text(30, INK, BAR)
    for number in [*range(CACHED_TEXTS), 0, CACHED_TEXTS]:
        text.patch(f"{number}")
    assert text.drawn == CACHED_TEXTS + 1
    text.patch("0")  # it was used again: 1 went instead
    assert text.drawn == CACHED_TEXTS + 1
    text.patch("1")
    assert text.drawn == CACHED_TEXTS + 2


def picture(value: int, at_ns: int = 0) -> Picture:
    return Picture(at_ns, (np.full((90, 160), value, np.uint8), *(np.full((45, 80), 128, np.uint8),) * 2))


def open_scene(running_s: int = 0) -> Scene:
    return Scene(SceneAct.OPEN, "h", "(2026)黑05民初123号", "甲诉乙", running_s * S)


@pytest.mark.process
def test_a_camera_without_a_picture_is_said_and_shows_nothing_of_before() -> None:
    composer = Composer("尖山区人民法院", "第三法庭", ["审判席", "当事人席"])
    composer.draw(open_scene(), 0, [picture(180), picture(120)], None)
    left, right = composer.places
    assert composer.canvas.luma[left.y : left.bottom, left.x : left.right].min() == 180
    composer.draw(open_scene(), 0, [None, picture(120)], None)
    tile = composer.canvas.luma[left.y : left.bottom, left.x : left.right]
    assert np.median(tile) < 40
    assert 100 < tile.max() < 180  # 无信号
    assert composer.canvas.luma[right.y + 9, right.x + 9] == 120
    composer.draw(open_scene(), 0, [picture(180), picture(120)], None)
    assert composer.canvas.luma[left.y : left.bottom, left.x : left.right].min() == 180


@pytest.mark.process
def test_only_what_changed_is_drawn_and_no_camera_is_left_in_a_pause() -> None:
    composer = Composer("尖山区人民法院", "第三法庭", ["审判席"])
    composer.draw(open_scene(59), 0, [picture(180)], None)
    before = composer.canvas.luma.copy()
    composer.draw(open_scene(60), 0, [picture(180)], None)
    rows, columns = np.nonzero(before != composer.canvas.luma)
    assert rows.min() >= BOTTOM.y  # the running time alone
    assert columns.min() > WIDTH - 250
    composer.draw(Scene(SceneAct.PAUSED, "h", "(2026)黑05民初123号", "甲诉乙", 0, "不公开质证"), 0, [None], None)
    assert not (composer.canvas.luma == 180).any(axis=1).all()
    (place,) = composer.places
    assert (composer.canvas.luma[place.y : place.bottom, place.x : place.right] == 180).mean() < 0.01
    composer.draw(IDLE, 0, [None], None)
    assert composer.canvas.luma[BOTTOM.y :].std() == 0  # no case is named between hearings


def events(*said: tuple[str, int, dict[str, object]]) -> Hearing:
    return Hearing.of("h", [Event(n, "h", kind, at * S, 0, body) for n, (kind, at, body) in enumerate(said, 1)])


def test_the_scene_follows_the_log_to_the_moment() -> None:
    exhibit = {"id": "e", "number": 1, "title": "借条", "filename": "a.png", "media_type": "image/png"}
    hearing = events(
        ("open", 10, {"case": {"case_no": "1号", "title": "甲诉乙"}}),
        ("exhibit", 11, {**exhibit, "sha256": "0" * 64, "bytes": 1, "pages": 2}),
        ("present", 12, {"exhibit": "e", "page": 2, "zoom": 2.0, "x": 0.1, "y": 0.9}),
        ("withdraw", 14, {}),
        ("pause", 20, {"reason": "mediation"}),
        ("resume", 30, {}),
        ("close", 40, {}),
    )
    assert scene_at(None, 0) == scene_at(hearing, 10 * S - 1) == scene_at(hearing, 40 * S) == IDLE
    assert scene_at(hearing, 11 * S).shown is None
    shown = scene_at(hearing, 13 * S).shown
    assert shown is not None
    assert (shown.exhibit.title, shown.page, shown.zoom) == ("借条", 2, 2.0)
    assert scene_at(hearing, 15 * S).shown is None
    paused = scene_at(hearing, 25 * S)
    assert (paused.act, paused.pause, paused.running_ns) == (SceneAct.PAUSED, "不公开调解", 10 * S)
    assert scene_at(hearing, 35 * S).running_ns == 15 * S


def run(
    pace: PictureRateGovernor, seconds: float, every_ns: int, now_ns: int, late_ns: int = 0
) -> tuple[set[PaceVerdict], int]:
    verdicts = set()
    end_ns = now_ns + int(seconds * S)
    while now_ns < end_ns:
        now_ns += every_ns
        verdicts.add(pace.picture(now_ns - late_ns, now_ns))
    return verdicts, now_ns


def test_a_machine_that_keeps_up_goes_on_and_a_short_hiccup_is_forgiven() -> None:
    pace = PictureRateGovernor(12)
    pace.begin(0)
    now_ns = 0
    for _ in range(5):
        verdicts, now_ns = run(pace, 20, S // 12, now_ns)
        assert verdicts == {PaceVerdict.GO_ON}
        now_ns += 3 * S


def test_too_few_or_too_late_pictures_are_halved_and_then_given_up() -> None:
    for every_ns, late_ns in ((S // 4, 0), (S // 12, 2 * S)):
        pace = PictureRateGovernor(12)
        pace.begin(0)
        verdicts, now_ns = run(pace, GRACE_NS / S + BAD_S - 1, every_ns, 0, late_ns)
        assert verdicts == {PaceVerdict.GO_ON}
        verdicts, now_ns = run(pace, 3, every_ns, now_ns, late_ns)
        assert PaceVerdict.HALVE in verdicts
        assert pace.fps == 6
        every_ns = max(every_ns, S // 4)
        verdicts, now_ns = run(pace, HALVED_GRACE_NS / S + BAD_S + 3, every_ns, now_ns, late_ns)
        assert PaceVerdict.GIVE_UP in verdicts
        pace.rested()
        assert pace.fps == 12


def test_a_machine_that_was_busy_once_has_all_pictures_again_after_a_rest() -> None:
    pace = PictureRateGovernor(12, 60 * S)
    pace.begin(0)
    now_ns = 0
    for _ in range(3):
        verdicts, now_ns = run(pace, GRACE_NS / S + BAD_S + 1, S // 4, now_ns)
        assert (PaceVerdict.HALVE in verdicts, PaceVerdict.GIVE_UP in verdicts, pace.fps) == (True, False, 6)
        verdicts, now_ns = run(pace, 50, S // 6, now_ns)
        assert (verdicts, pace.fps) == ({PaceVerdict.GO_ON}, 6)
        while pace.fps == 6 and now_ns < 1_000 * S:
            verdicts, now_ns = run(pace, 0.2, S // 6, now_ns)
            assert verdicts == {PaceVerdict.GO_ON}
        assert pace.fps == 12
        verdicts, now_ns = run(pace, 20, S // 12, now_ns)
        assert verdicts == {PaceVerdict.GO_ON}


def test_a_page_is_fitted_and_zoomed_as_on_the_screens() -> None:
    asked = PageRequest("", 1.0, 0.5, 0.5, 1400, 880)
    whole = seen(asked, 210, 297)
    assert (whole.left, whole.top, whole.y, whole.height) == (0, 0, 0, 880)
    assert whole.x == (1400 - whole.width) // 4 * 2
    corner = seen(PageRequest("", 4.0, 1.0, 0.0, 1400, 880), 210, 297)
    assert (corner.x, corner.y, corner.width, corner.height) == (0, 0, 1400, 880)
    assert corner.top == 0
    assert corner.left == pytest.approx(corner.page_width - 1400)


@pytest.mark.parametrize(("wide", "high"), [(1080, 24_000), (600, 13_333), (24_000, 1080)])
def test_a_strip_fills_the_place_across_and_begins_at_its_beginning(wide: int, high: int) -> None:
    at = seen(PageRequest("", 1.0, 0.0, 0.0, 1400, 880), wide, high)
    assert (at.left, at.top, at.x, at.y, at.width, at.height) == (0, 0, 0, 0, 1400, 880)
    end = seen(PageRequest("", 1.0, 1.0, 1.0, 1400, 880), wide, high)
    assert (end.left, end.top) == pytest.approx((end.page_width - 1400, end.page_height - 880))


@pytest.mark.parametrize("zoom", [1.0, 3.0])
def test_what_is_seen_of_the_rooms_picture_is_drawn(zoom: float) -> None:
    picture_of = Image.new("RGB", (600, 800), (255, 255, 255))
    picture_of.paste((200, 0, 0), (0, 0, 600, 400))
    patch = draw(PageRequest("", zoom, 0.5, 1.0, 1400, 880), picture_of)
    assert patch.luma[-10:].min() > 225  # white below, whatever the zoom
    if zoom == 1.0:
        assert patch.luma.shape == (880, 660)
        assert patch.luma[:300].max() < 120


def test_the_sharpest_picture_is_taken_and_never_a_larger_one_than_is_needed(tmp_path: Path) -> None:
    assert sharpest(tmp_path, 1, 1.0, 1400, 880) is None
    for scale, size in ((1, (679, 960)), (2, (1357, 1920)), (4, (2714, 3840))):
        Image.new("RGB", size).save(tmp_path / page_picture_name(1, scale))
        found = sharpest(tmp_path, 1, 2.5, 1400, 880)
        assert found == tmp_path / page_picture_name(1, scale if scale < 2 else 2)
    assert sharpest(tmp_path, 1, 1.0, 1400, 880) == tmp_path / page_picture_name(1, 1)
    assert sharpest(tmp_path, 2, 1.0, 1400, 880) is None


def test_a_picture_that_cannot_be_read_is_said_and_one_that_comes_is_taken(tmp_path: Path) -> None:
    exhibit = Exhibit("e", 1, "借条", "a.pdf", "application/pdf", "0" * 64, 1, 1)
    shown, place, view = ShownExhibit(exhibit, 1, 1.0, 0.5, 0.5), Rect(0, 0, 1400, 880), PageView()
    assert view.poll(shown, tmp_path, place) is None, "the room has not drawn it yet"
    path = tmp_path / page_picture_name(1, 1)
    Image.new("RGB", (300, 400), "white").save(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert _polled(view, shown, tmp_path, place).patch is None
    path.write_bytes(data)
    again = PageView()
    patch = _polled(again, shown, tmp_path, place).patch
    assert patch is not None
    assert patch.luma.shape == (880, 660)


def _polled(view: PageView, shown: ShownExhibit, folder: Path, place: Rect) -> DrawnPage:
    while True:
        page = view.poll(shown, folder, place)
        if page is not None:
            return page
        if view._busy is not None:
            view._busy.join()


def coded(bframes: int) -> tuple[Init, list[Envelope]]:
    """Three seconds of pictures, ten each second, that show their own time; as the recorder would publish them."""
    command = [
        *("ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-video_size", "320x180", "-r", "10"),
        *("-i", "pipe:0", "-c:v", "libx264", "-bf", str(bframes), "-g", "10", "-pix_fmt", "yuv420p", "-f", "mp4"),
        *("-movflags", "empty_moov+default_base_moof+frag_keyframe", "-frag_duration", "200000", "pipe:1"),
    ]
    frame = np.full((180, 320), 90, np.uint8)
    frames = b""
    for index in range(30):
        timecode.draw(frame, 1_000 + index * 100)
        frames += frame.tobytes()
    media = subprocess.run(command, input=frames, capture_output=True, check=True, timeout=60).stdout
    init, *fragments = BoxReader().feed(media)
    assert isinstance(init, Init)
    out = []
    for number, fragment in enumerate(fragments):
        assert not isinstance(fragment, Init)
        ticks = fragment.decode_time + init.timescale
        data = retime(fragment, init, ticks, number, 0).data
        at_ns = ticks * S // init.timescale
        out.append(Envelope(Kind.FRAGMENT, 7, number, at_ns, 0, 0, data, key_frame=fragment.key_frame))
    return init, out


@pytest.mark.parametrize("bframes", [0, 2])
def test_the_picture_of_a_moment_is_the_one_taken_then_and_never_an_old_one(bframes: int) -> None:
    init, fragments = coded(bframes)
    camera = CameraFeed()
    assert camera.picture(S) is None
    camera.init(Envelope(Kind.INIT, 7, 0, 0, 0, 0, pack_init(init.mime, init.data)).pack())
    camera.fragment(b"nonsense")
    for fragment in fragments:
        camera.fragment(fragment.pack())
    assert camera.picture(S - 1) is None
    wrong = []
    for moment_ms in range(1_350, 3_850, 130):
        found = camera.picture(moment_ms * 1_000_000 + 2_000_000)
        assert found is not None
        code = timecode.read(found.planes[0])
        if code != moment_ms // 100 * 100:
            wrong.append((moment_ms, code))
    assert len(wrong) <= (0 if bframes == 0 else 3), wrong  # a decoder that reorders holds its last pictures back
    assert camera.picture(4 * S + STALE_NS) is None
    camera.rest()
    assert camera.picture(3 * S) is None


def test_fragments_that_nobody_asks_for_do_not_pile_up() -> None:
    init, fragments = coded(0)
    camera = CameraFeed()
    camera.init(Envelope(Kind.INIT, 7, 0, 0, 0, 0, pack_init(init.mime, init.data)).pack())
    for round_ in range(20):
        for one in fragments:
            at_ns = one.room_ns + round_ * 3 * S
            camera.fragment(Envelope(Kind.FRAGMENT, 7, 0, at_ns, 0, 0, one.payload, key_frame=one.key_frame).pack())
    assert len(camera._waiting) <= 2 * len(fragments) + 5


@pytest.mark.process
def test_what_goes_to_the_encoder_keeps_its_time(tmp_path: Path) -> None:
    """Few pictures at uneven times come out as they went in, beginning with a key frame at least each second or so."""
    fd = os.open(tmp_path / "out.mp4", os.O_WRONLY | os.O_CREAT)
    output = PictureEncoder(WIDTH, HEIGHT, 12, fd, coding(2500, level="4.0"))
    canvas = Canvas()
    canvas.fill(Rect(0, 0, WIDTH, HEIGHT), PIT)
    times_ms = [0, 500, 1000, 1083, 1166, 1250, 1500, 2500, 2583, 2666]
    for index, at_ms in enumerate(times_ms):
        timecode.draw(canvas.luma, index)
        output.write(canvas.data, at_ms * 1_000_000, 0)
    with av.open(str(tmp_path / "out.mp4")) as container:
        found = [(frame.time, frame.key_frame, gray(frame)) for frame in container.decode(video=0)]
    assert [round(time * 1000) for time, _, _ in found] == times_ms
    assert [timecode.read(gray) for _, _, gray in found] == list(range(len(times_ms)))
    assert [round(time, 1) for time, key, _ in found if key] == [0.0, 1.0, 2.5]


def test_the_pit_is_darker_than_the_ground() -> None:
    canvas = Canvas()
    canvas.fill(Rect(0, 0, 2, 2), PIT)
    canvas.fill(Rect(2, 0, 2, 2), BAR)
    assert canvas.luma[0, 0] < canvas.luma[0, 2]
    pixel = canvas.rgb().getpixel((0, 0))
    assert isinstance(pixel, tuple)
    assert pixel[0] < 20
