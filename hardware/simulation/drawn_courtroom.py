"""The drawn courtroom of a simulated camera: all that can be is drawn once, and a frame copies only what changes.

Pictures are yuv420p (BT.709, limited range). A seat has one finished picture for silence and some for each role that
speaks there; the clock is put together from finished digits; the lowest strip is the time code (hardware.timecode).
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from hardware import timecode
from sync.errors import ConfigError

Plane = NDArray[np.uint8]
SMOOTH = 2
BEATS = 4
"""Pictures of a speaking seat, shown in turn: its sound bars move."""

_WALL_TOP, _WALL_LOW = (38, 32, 30), (22, 19, 20)
_PANEL, _LINE = (52, 42, 36), (78, 62, 50)
_DESK, _DESK_EDGE = (74, 54, 40), (110, 82, 58)
_ROBE, _ROBE_LIT = (30, 31, 37), (42, 43, 52)
_SKIN, _SKIN_LIT = (112, 94, 82), (196, 164, 140)
_GOLD, _PLATE, _TEXT, _DIM = (224, 178, 92), (40, 32, 28), (240, 234, 224), (150, 140, 128)


@lru_cache
def font_file(name: str) -> tuple[str, int]:
    """(file, face) that fontconfig has for Chinese; `ConfigError` when it has none."""
    try:
        answer = subprocess.run(
            ["fc-match", "-f", "%{file}\n%{index}\n%{family}", name], capture_output=True, text=True, check=True
        ).stdout.split("\n")
    except (OSError, subprocess.CalledProcessError):
        raise ConfigError("fc-match is missing; install fontconfig and fonts-noto-cjk") from None
    if "CJK" not in answer[2]:
        raise ConfigError("no font for Chinese was found; install fonts-noto-cjk")
    return answer[0], int(answer[1]) & 0xFFFF


@lru_cache
def font(size: int, weight: str = "bold") -> ImageFont.FreeTypeFont:
    """The Chinese font in pixels."""
    file, index = font_file(f"Noto Sans CJK SC:{weight}")
    return ImageFont.truetype(file, size, index=index)


@dataclass(frozen=True)
class SeatPlace:
    """A seat as a camera sees it."""

    roles: list[str]
    channel: int

    @property
    def role(self) -> str:
        """The role on the name plate while nobody speaks."""
        return self.roles[0]


@dataclass(frozen=True)
class Patch:
    """A finished part of the picture at an even position."""

    x: int
    y: int
    luma: Plane
    cb: Plane
    cr: Plane


def planes(image: Image.Image) -> tuple[Plane, Plane, Plane]:
    """(luma, cb, cr) of a picture of even size."""
    rgb = np.asarray(image.convert("RGB"), np.float32) / 255
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    light = 0.2126 * r + 0.7152 * g + 0.0722 * b

    def half(plane: NDArray[Any]) -> Plane:
        mean = plane.reshape(plane.shape[0] // 2, 2, plane.shape[1] // 2, 2).mean(axis=(1, 3))
        color: Plane = np.rint(128 + 224 * mean).astype(np.uint8)
        return color

    return np.rint(16 + 219 * light).astype(np.uint8), half((b - light) / 1.8556), half((r - light) / 1.5748)


class Courtroom:
    """One camera's view. `frame` is the picture, to be written as it is."""

    def __init__(self, width: int, height: int, title: str, camera_name: str, seats: Sequence[SeatPlace]) -> None:
        self._width, self._height = width, height
        # Drawn at twice the size and reduced: smooth edges.
        self._unit = SMOOTH * height / 720
        self._seats = list(seats)
        base = self._background(title, camera_name)
        self._boxes = [self._box(i) for i in range(len(self._seats))]
        self._silent = [self._seat(base, i, seat.role, None) for i, seat in enumerate(self._seats)]
        self._speaking = [
            {role: [self._seat(base, i, role, beat) for beat in range(BEATS)] for role in seat.roles}
            for i, seat in enumerate(self._seats)
        ]
        self.frame = np.empty(width * height * 3 // 2, np.uint8)
        pixels, quarter = width * height, width * height // 4
        self._luma = self.frame[:pixels].reshape(height, width)
        self._cb = self.frame[pixels : pixels + quarter].reshape(height // 2, width // 2)
        self._cr = self.frame[pixels + quarter :].reshape(height // 2, width // 2)
        self._put(Patch(0, 0, *planes(base.reduce(SMOOTH))))
        for patch in self._silent:
            self._put(patch)
        strip = height * (timecode.ROW_SHARE - timecode.ROWS) // timecode.ROW_SHARE // 2
        self._cb[strip:], self._cr[strip:] = 128, 128
        self._digits = self._render_digits()
        self._clock_text = ""
        self._clock_second = 0
        self._clock_date = ""
        self._shown: list[tuple[str | None, int]] = [(None, 0)] * len(self._seats)

    def draw(self, utc_ns: int, speaking: dict[int, str], beat: int) -> None:
        """Bring the picture to a moment. `speaking`: {microphone channel: role}; `beat` moves the sound bars."""
        for index, seat in enumerate(self._seats):
            role = speaking.get(seat.channel)
            state = (role, beat % BEATS if role is not None else 0)
            if state == self._shown[index]:
                continue
            self._shown[index] = state
            if role is None:
                self._put(self._silent[index])
            else:
                pictures = self._speaking[index]
                self._put(pictures.get(role, pictures[seat.role])[state[1]])
        self._draw_clock(utc_ns)
        timecode.draw(self._luma, utc_ns // 1_000_000)

    def _put(self, patch: Patch) -> None:
        high, wide = patch.luma.shape
        x, y = patch.x, patch.y
        self._luma[y : y + high, x : x + wide] = patch.luma
        self._cb[y // 2 : (y + high) // 2, x // 2 : (x + wide) // 2] = patch.cb
        self._cr[y // 2 : (y + high) // 2, x // 2 : (x + wide) // 2] = patch.cr

    def _px(self, value: float) -> int:
        return max(round(value * self._unit), 1)

    def _background(self, title: str, camera_name: str) -> Image.Image:
        width, height, px = self._width * SMOOTH, self._height * SMOOTH, self._px
        shade = np.linspace(0, 1, height)[:, None, None]
        wall = np.array(_WALL_TOP) * (1 - shade) + np.array(_WALL_LOW) * shade
        image = Image.fromarray(np.broadcast_to(wall, (height, width, 3)).astype(np.uint8))
        draw = ImageDraw.Draw(image)
        panels = 8
        for i in range(panels):
            x0, x1 = width * i // panels + px(10), width * (i + 1) // panels - px(10)
            draw.rounded_rectangle((x0, px(104), x1, px(470)), px(6), outline=_PANEL, width=px(2))
        draw.rectangle((0, 0, width, px(76)), fill=(18, 16, 17))
        draw.line((0, px(76), width, px(76)), fill=_LINE, width=px(2))
        draw.text((px(32), px(38)), title, font=font(px(30)), fill=_TEXT, anchor="lm")
        left = px(32) + draw.textlength(title, font=font(px(30)))
        draw.text((left + px(22), px(40)), camera_name, font=font(px(22), "regular"), fill=_DIM, anchor="lm")
        draw.rectangle((0, px(560), width, height), fill=(28, 23, 21))
        return image

    def _box(self, index: int) -> tuple[int, int, int, int]:
        """Of a seat, in the large drawing; its corners fall on even pixels of the picture."""
        count, grid = len(self._seats), 2 * SMOOTH
        width = self._width * SMOOTH
        each = min(width // count, self._px(430)) // grid * grid
        left = (width - each * count) // 2 // grid * grid + each * index
        top, bottom = (self._px(y) // grid * grid for y in (118, 672))
        return left, top, left + each, bottom

    def _seat(self, base: Image.Image, index: int, role: str, beat: int | None) -> Patch:
        """One finished picture of a seat; a silent one without a `beat`."""
        x0, y0, x1, y1 = self._boxes[index]
        part = base.crop((x0, y0, x1, y1))
        self._draw_seat(part, x1 - x0, -y0, role, beat)
        return Patch(x0 // SMOOTH, y0 // SMOOTH, *planes(part.reduce(SMOOTH)))

    def _draw_seat(self, image: Image.Image, wide: int, down: int, role: str, beat: int | None) -> None:
        draw = ImageDraw.Draw(image)
        x0, x1 = 0, wide

        def px(value: float) -> int:
            return self._px(value)

        def y(value: float) -> int:
            return self._px(value) + down

        middle, speaks = (x0 + x1) // 2, beat is not None
        skin, robe = (_SKIN_LIT, _ROBE_LIT) if speaks else (_SKIN, _ROBE)
        # the chair, the person, the desk with the name plate
        draw.rounded_rectangle((middle - px(92), y(250), middle + px(92), y(500)), px(26), fill=(46, 32, 27))
        draw.ellipse((middle - px(112), y(352), middle + px(112), y(620)), fill=robe)
        draw.polygon([(middle - px(26), y(362)), (middle + px(26), y(362)), (middle, y(430))], fill=(214, 210, 204))
        draw.ellipse((middle - px(50), y(236), middle + px(50), y(368)), fill=skin)
        draw.chord((middle - px(54), y(224), middle + px(54), y(346)), 180, 360, fill=(26, 23, 23))
        edge = _GOLD if speaks else _DESK_EDGE
        draw.rectangle((x0 + px(14), y(486), x1 - px(14), y(660)), fill=_DESK)
        draw.rectangle((x0 + px(6), y(478), x1 - px(6), y(494)), fill=edge)
        draw.line((middle + px(70), y(478), middle + px(44), y(420)), fill=(12, 12, 12), width=px(4))
        draw.ellipse((middle + px(36), y(408), middle + px(52), y(424)), fill=_GOLD if speaks else (60, 60, 60))
        plate = (middle - px(128), y(528), middle + px(128), y(600))
        draw.rounded_rectangle(plate, px(8), fill=_GOLD if speaks else _PLATE, outline=edge, width=px(2))
        size = px(40 if len(role) <= 5 else 34)
        color = (34, 24, 14) if speaks else _TEXT
        draw.text((middle, y(563)), role, font=font(size), fill=color, anchor="mm")
        if beat is not None:
            heights = (10, 22, 34, 24, 14, 28, 12)
            for bar in range(7):
                half = px(heights[(bar + beat * 2) % 7]) // 2
                x = middle + round((bar - 3) * 18 * self._unit)
                draw.rounded_rectangle((x - px(4), y(632) - half, x + px(4), y(632) + half), px(2), fill=_GOLD)

    def _render_digits(self) -> dict[str, Plane]:
        """Each sign of the clock, all of one width, on the header's color."""
        px, digits = self._px, {}
        face = font(px(30))
        grid = 2 * SMOOTH
        wide, high = px(19) // grid * grid, px(44) // grid * grid
        for sign in "0123456789:-. ":
            image = Image.new("RGB", (wide, high), (18, 16, 17))
            ImageDraw.Draw(image).text((wide / 2, high / 2), sign, font=face, fill=_TEXT, anchor="mm")
            digits[sign] = planes(image.reduce(SMOOTH))[0]
        return digits

    def _draw_clock(self, utc_ns: int) -> None:
        """The room's local time in the upper right corner; only the signs that changed are copied."""
        seconds, rest = divmod(utc_ns, 1_000_000_000)
        if seconds != self._clock_second:
            self._clock_second = seconds
            self._clock_date = datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")
        text = f"{self._clock_date}.{rest // 1_000_000:03d}"
        high, wide = self._digits["0"].shape
        left = self._width - self._px(28) // SMOOTH - wide * len(text)
        top = self._px(38) // SMOOTH - high // 2
        for place, sign in enumerate(text):
            if place < len(self._clock_text) and self._clock_text[place] == sign:
                continue
            x = left + place * wide
            self._luma[top : top + high, x : x + wide] = self._digits[sign]
        self._clock_text = text


def seats_in_view(camera_id: str, seats: Sequence[SeatPlace]) -> list[SeatPlace]:
    """Who sits where a camera looks: `bench` sees the court, `parties` everybody else, any other camera all."""
    court = [s for s in seats if any(word in s.role for word in ("审判", "书记", "陪审", "法官"))]
    others = [s for s in seats if s not in court]
    if "bench" in camera_id and court:
        return court
    if "part" in camera_id and others:
        return others
    return list(seats)
