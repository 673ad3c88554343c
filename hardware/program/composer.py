"""Puts one composed picture together; only what changed since the last one is drawn.

    bar:    ● 庭审中  court room                                   date and time of day
    stage:  one to four cameras, or the exhibit large and the cameras beside it; captions below
    bar:    case number  title                                     庭审时间 running time

A camera without a picture is a tile that says 无信号; between hearings and in a pause there is no camera at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hardware.program.camera import Picture
from hardware.program.canvas import BAR, DIM, GOLD, GROUND, INK, PIT, RED, Canvas, Text
from hardware.program.exhibit import DrawnPage
from hardware.program.layout import BOTTOM, BOTTOM_BAR, STAGE, TOP, TOP_BAR, WIDTH, Rect, fit, layout
from hardware.program.scene import Scene, SceneAct
from hardware.simulation.drawn_courtroom import Patch

NO_SIGNAL = "无信号"
EDGE = 32
_STATES = {SceneAct.IDLE: ("○ 未开庭", DIM), SceneAct.OPEN: ("● 庭审中", RED), SceneAct.PAUSED: ("‖ 休庭", GOLD)}


class ClockLine:
    """A line of signs that all have the same width; only those that changed are copied."""

    def __init__(self, size: int, right: int, y: int, height: int) -> None:
        self._text = Text(size, INK, BAR)
        self._right = right
        self._y = y + (height - self._text.height) // 4 * 2
        self._wide = max(self._text.patch(sign).luma.shape[1] for sign in "0123456789")
        self._shown = ""
        self.left = right

    def put(self, canvas: Canvas, text: str) -> None:
        """Show `text`, which keeps its length as long as nothing else was drawn there."""
        self.left = self._right - self._wide * len(text)
        for index, sign in enumerate(text):
            if index >= len(self._shown) or len(self._shown) != len(text) or self._shown[index] != sign:
                x = self.left + index * self._wide
                canvas.fill(Rect(x, self._y, self._wide, self._text.height), BAR)
                patch = self._text.patch(sign)
                canvas.put(patch, x + (self._wide - patch.luma.shape[1]) // 4 * 2, self._y)
        self._shown = text

    def forget(self) -> None:
        """Everything was drawn over."""
        self._shown = ""


class Composer:
    """`canvas` holds the picture after `draw`."""

    def __init__(self, court: str, room: str, cameras: Sequence[str]) -> None:
        """The cameras' names as people read them, one to four."""
        self.canvas = Canvas()
        self._place = f"{court}　{room}"
        self._names = list(cameras)
        self._bar = {color: Text(30, color, BAR) for color in (INK, RED, GOLD, DIM)}
        self._bar_light = Text(26, DIM, BAR, "regular")
        self._caption = Text(22, DIM, GROUND, "regular")
        self._note = Text(30, DIM, PIT, "regular")
        self._large = Text(92, INK, GROUND)
        self._middle = Text(40, DIM, GROUND, "regular")
        self._clock = ClockLine(30, WIDTH - EDGE, TOP.y, TOP_BAR)
        self._running = ClockLine(34, WIDTH - EDGE, BOTTOM.y, BOTTOM_BAR)
        self._drawn: object = None
        self._tiles: list[Picture | str | None] = []
        self._page: object = None
        self._places = layout(len(self._names), exhibit=False)

    @property
    def places(self) -> tuple[Rect, ...]:
        """Where the cameras are now."""
        return self._places.cameras

    @property
    def exhibit_place(self) -> Rect:
        """Where an exhibit would be."""
        place = layout(len(self._names), exhibit=True).exhibit
        assert place is not None
        return place

    def draw(self, scene: Scene, utc_ns: int, pictures: Sequence[Picture | None], page: DrawnPage | None) -> None:
        """Bring the canvas to a moment; `pictures` in the order of the cameras, `page` of the exhibit once drawn."""
        shown = scene.shown
        exhibit = None if shown is None else (shown.exhibit.id, shown.page)
        frame = (scene.act, scene.hearing, scene.case_no, scene.title, scene.pause, exhibit)
        if frame != self._drawn:
            self._drawn = frame
            self._frame(scene)
        if scene.act is SceneAct.OPEN:
            for index, (place, picture) in enumerate(zip(self._places.cameras, pictures, strict=True)):
                self._tile(index, place, picture)
            if shown is not None:
                self._exhibit(page)
            seconds = scene.running_ns // 1_000_000_000
            self._running.put(self.canvas, f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}")
        now = datetime.fromtimestamp(utc_ns // 1_000_000_000)
        self._clock.put(self.canvas, now.strftime("%Y-%m-%d %H:%M:%S"))

    def _frame(self, scene: Scene) -> None:
        """Everything that stays: bars, captions, cards."""
        canvas = self.canvas
        canvas.fill(STAGE_WHOLE, GROUND)
        canvas.fill(TOP, BAR)
        canvas.fill(BOTTOM, BAR)
        self._clock.forget()
        self._running.forget()
        self._page = None
        words, color = _STATES[scene.act]
        left = self._bar[color].put(canvas, words, _inside(TOP, EDGE, 560)).right + 36
        self._bar[INK].put(canvas, self._place, _inside(TOP, left, 440))
        if scene.act is not SceneAct.IDLE:
            left = self._bar[INK].put(canvas, scene.case_no, _inside(BOTTOM, EDGE, 560)).right + 32
            self._bar_light.put(canvas, scene.title, _inside(BOTTOM, left, 440))
        if scene.act is SceneAct.OPEN:
            words_at = _inside(BOTTOM, WIDTH - 560, EDGE + 190)
            self._bar_light.put(canvas, "庭审时间", words_at, "right")
            self._stage(scene)
        else:
            self._places = layout(len(self._names), exhibit=False)
            middle = STAGE.y + STAGE.height // 2 // 2 * 2
            words = scene.pause if scene.act is SceneAct.PAUSED else "未开庭"
            self._large.put(canvas, words, Rect(STAGE.x, middle - 130, STAGE.width, 150), "middle")
            under = scene.title if scene.act is SceneAct.PAUSED else self._place
            self._middle.put(canvas, under, Rect(STAGE.x, middle + 30, STAGE.width, 80), "middle")

    def _stage(self, scene: Scene) -> None:
        shown = scene.shown
        self._places = layout(len(self._names), exhibit=shown is not None)
        self._tiles = [None] * len(self._names)
        for name, place in zip(self._names, self._places.cameras, strict=True):
            self._caption.put(self.canvas, name, place.caption)
        if shown is None or self._places.exhibit is None:
            return
        self.canvas.fill(self._places.exhibit, PIT)
        line = self._places.exhibit.caption
        pages = f"{shown.page} / {shown.exhibit.pages}" if shown.exhibit.pages > 1 else ""
        self._caption.put(self.canvas, pages, line, "right")
        words = f"证据 {shown.exhibit.number}　{shown.exhibit.title}"
        self._caption.put(self.canvas, words, Rect(line.x, line.y, line.width - 140, line.height))

    def _tile(self, index: int, place: Rect, picture: Picture | None) -> None:
        before = self._tiles[index]
        if picture is None:
            if before != NO_SIGNAL:
                self._tiles[index] = NO_SIGNAL
                self.canvas.fill(place, PIT)
                self._note.put(self.canvas, NO_SIGNAL, place, "middle")
        elif before is not picture:
            self._tiles[index] = picture
            inner = fit(picture.width, picture.height, place)
            if not isinstance(before, Picture) or fit(before.width, before.height, place) != inner:
                self.canvas.fill(place, PIT)
            self.canvas.put_scaled(picture.planes, inner)

    def _exhibit(self, page: DrawnPage | None) -> None:
        place = self._places.exhibit
        key: object = "waiting" if page is None else (page.asked, page.patch is None)
        if place is None or key == self._page:
            return
        self._page = key
        self.canvas.fill(place, PIT)
        if page is None or page.patch is None:
            self._note.put(self.canvas, "正在载入" if page is None else "该证据无法显示", place, "middle")
            return
        patch: Patch = page.patch
        self.canvas.put(patch, place.x + patch.x, place.y + patch.y)


STAGE_WHOLE = Rect(0, TOP.bottom, WIDTH, BOTTOM.y - TOP.bottom)


def _inside(bar: Rect, left: int, right: int) -> Rect:
    """A bar without so much at its ends."""
    left = left // 2 * 2
    return Rect(left, bar.y, max(bar.width - left - right // 2 * 2, 2), bar.height)
