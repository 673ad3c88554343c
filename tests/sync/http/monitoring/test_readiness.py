"""Ready or not, and in words what is lacking."""

from __future__ import annotations

import asyncio

from sync.errors import StorageError
from sync.http.monitoring.readiness import READY, READY_PART, Readiness, ReadyPart
from sync.http.monitoring.readings import Readings


async def well() -> str:
    return ""


async def lacking() -> str:
    return "the broker is away"


async def test_what_is_needed_and_what_is_wanted_are_told_apart() -> None:
    answer = await Readiness(
        {"disk": ReadyPart(well), "broker": ReadyPart(lacking), "words": ReadyPart(lacking, needed=False)}
    ).answer()
    assert answer == {
        "ready": False,
        "lacks": [{"part": "broker", "why": "the broker is away"}],
        "wants": [{"part": "words", "why": "the broker is away"}],
    }
    assert (await Readiness({"words": ReadyPart(lacking, needed=False)}).answer())["ready"] is True


async def test_a_part_that_hangs_or_breaks_is_lacking_and_says_no_secret() -> None:
    async def hangs() -> str:
        await asyncio.Event().wait()
        return ""

    async def breaks() -> str:
        try:
            raise OSError("/secret/path and password")
        except OSError as error:
            raise StorageError(f"cannot write: {error}") from error

    async def defect() -> str:
        raise KeyError("secret")

    async def refuses() -> str:
        raise StorageError("没有写入 (it was not written)")

    checks = {"a": hangs, "b": breaks, "c": defect, "d": refuses}
    ready = Readiness({name: ReadyPart(check) for name, check in checks.items()}, part_s=0.05)
    answer = await ready.answer()
    whys = {one["part"]: one["why"] for one in answer["lacks"]}
    assert whys.keys() == {"a", "b", "c", "d"}
    assert "no answer within 0.05 s" in whys["a"]
    assert whys["d"] == "没有写入 (it was not written)"
    assert "secret" not in str(answer)
    ready.close()


async def test_the_same_is_said_as_metrics_and_looked_at_once_for_all_who_ask() -> None:
    looked: list[int] = []
    now_s = [0.0]

    async def looks() -> str:
        looked.append(1)
        return ""

    ready = Readiness({"disk": ReadyPart(looks), "broker": ReadyPart(lacking)}, monotonic_s=lambda: now_s[0])
    readings = Readings((READY, READY_PART))
    await asyncio.gather(ready.read(readings), ready.answer(), ready.answer())
    text = readings.to_text().decode()
    assert "wutong_ready 0.0\n" in text
    assert 'wutong_ready_part{part="disk"} 1.0\n' in text
    assert 'wutong_ready_part{part="broker"} 0.0\n' in text
    assert len(looked) == 1
    now_s[0] += 60
    await ready.answer()
    assert len(looked) == 2
