"""A camera is asked for a key frame when none has come for a while, ever more seldom where that leads to nothing."""

from __future__ import annotations

import queue

import pytest

from hardware.workers.key_frames import ANSWER_NS, FIRST_NS, KEY_NS, LEAST_NS, MOST_NS, KeyFrameAsker
from sync.errors import DeviceError
from sync.runtime.units import NS_PER_S

PICTURE_NS = NS_PER_S // 25
ANSWERED_NS = NS_PER_S // 5


class Camera:
    """Sends pictures; a key frame where it was asked for one and `gives` it."""

    def __init__(self, *, gives: bool = True) -> None:
        self._gives = gives
        self._done: queue.Queue[int] = queue.Queue()
        self.asker = KeyFrameAsker(lambda: self._done.put(1))
        self.now_ns = 100 * NS_PER_S
        self.asked_s: list[float] = []

    def send(self, seconds: float, *, key_frame: bool = False) -> None:
        due_ns = 0
        for _ in range(round(seconds * 25)):
            self.now_ns += PICTURE_NS
            key_now = key_frame or 0 < due_ns <= self.now_ns
            key_frame, due_ns = False, 0 if key_now else due_ns
            before = self.asker._asked_ns
            self.asker.picture(self.now_ns, key_frame=key_now)
            if self.asker._asked_ns not in (None, before):
                self._done.get(timeout=30)
                self.asked_s.append((self.now_ns - 100 * NS_PER_S) / NS_PER_S)
                due_ns = self.now_ns + ANSWERED_NS if self._gives else 0


def test_a_camera_that_gives_them_is_asked_whenever_it_sends_none_of_itself() -> None:
    camera = Camera()
    camera.send(1, key_frame=True)
    camera.send(1, key_frame=True)
    assert camera.asked_s == []
    camera.send(20)
    apart = (KEY_NS + ANSWERED_NS) / NS_PER_S
    assert camera.asked_s == pytest.approx([6.04 + n * apart for n in range(4)], abs=0.1)


def test_a_run_that_begins_without_a_key_frame_asks_soon() -> None:
    camera = Camera()
    camera.send(3)
    assert camera.asked_s == pytest.approx([FIRST_NS / NS_PER_S], abs=0.1)


def test_one_that_gives_none_is_asked_ever_more_seldom() -> None:
    camera = Camera(gives=False)
    camera.send(1, key_frame=True)
    camera.send(2 * MOST_NS / NS_PER_S)
    apart = [b - a for a, b in zip(camera.asked_s, camera.asked_s[1:], strict=False)]
    least_s = LEAST_NS / NS_PER_S
    assert apart[:4] == pytest.approx([least_s, 2 * least_s, 4 * least_s, 8 * least_s], abs=0.1)
    assert max(apart) <= MOST_NS / NS_PER_S + 0.1


def test_a_key_frame_that_came_by_itself_much_later_is_no_answer() -> None:
    camera = Camera(gives=False)
    camera.send(1, key_frame=True)
    camera.send((KEY_NS + ANSWER_NS) / NS_PER_S + 1)
    camera.send(KEY_NS / NS_PER_S + 4, key_frame=True)
    first, second = camera.asked_s
    assert second - first >= LEAST_NS / NS_PER_S - 0.1


@pytest.mark.parametrize(("code", "times"), [("password", 1), ("onvif", 2)])
def test_an_account_that_is_refused_is_not_tried_again(code: str, times: int) -> None:
    tried: queue.Queue[int] = queue.Queue()

    def ask() -> None:
        tried.put(1)
        raise DeviceError("no", code=code)

    told: list[str] = []
    asker = KeyFrameAsker(ask, lambda: told.append("refused"))
    asker.picture(0, key_frame=True)
    asker.picture(KEY_NS, key_frame=False)
    tried.get(timeout=30)
    assert asker._thread is not None
    if code == "password":
        asker._thread.join(30)
        assert not asker._thread.is_alive()
    asker.picture(KEY_NS + LEAST_NS, key_frame=False)
    if times > 1:
        tried.get(timeout=30)
    assert tried.empty()
    asker.picture(KEY_NS + LEAST_NS + 1, key_frame=False)
    assert told == (["refused"] if code == "password" else [])


def test_an_error_that_nobody_thought_of_does_not_end_the_asking() -> None:
    tried: queue.Queue[int] = queue.Queue()

    def ask() -> None:
        tried.put(1)
        raise OverflowError("date value out of range")

    asker = KeyFrameAsker(ask)
    asker.picture(0, key_frame=True)
    asker.picture(KEY_NS, key_frame=False)
    tried.get(timeout=30)
    asker.picture(KEY_NS + LEAST_NS, key_frame=False)
    tried.get(timeout=30)
