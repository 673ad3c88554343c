"""A server that is set wrongly is said in the status; it costs time, and not one word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from tests.support.peers.scripted_server import Scripted
from tests.support.rooms.transcriber_room import until
from transcriber.recognition.openai_client import OpenAIClient
from transcriber.recognition.recognizer import EngineLostError
from transcriber.recognition.server_pool import ServerPool

SPEECH = np.full(16_000, 0.1, np.float32)


async def one_server(server: Scripted) -> tuple[ServerPool, list[tuple[str, str]]]:
    """A pool of one, started, and what it says of its state."""
    states: list[tuple[str, str]] = []
    client = OpenAIClient(server.url, model="m", language="zh", timeout_s=20, token_file=None)
    pool = ServerPool([client], on_state=lambda state, why: states.append((state, why)))
    await pool.start()
    return pool, states


@pytest.fixture
async def lone() -> AsyncIterator[Scripted]:
    server = Scripted()
    await server.start()
    yield server
    await server.stop()


@pytest.mark.slow
async def test_a_server_of_another_language_is_said_at_once_and_gives_up_no_word(lone: Scripted) -> None:
    lone.answers = lambda kind: (400, '{"error": {"message": "this server hears \'en\' only"}}')
    lone.silence = lambda size: lone.answers("silence")
    pool, states = await one_server(lone)
    try:
        assert states[-1][0] == "failed"
        assert "hears 'en' only" in states[-1][1]
        assert "[transcriber] language (zh)" in states[-1][1]
        waiting = asyncio.create_task(pool.ask(SPEECH))
        await until(lambda: lone.asked.count("silence") >= 2, 30)
        assert not waiting.done()
        assert "final" not in lone.asked
        lone.answers = lambda kind: (200, '{"text": "有"}')
        lone.silence = lambda size: (200, '{"text": ""}')
        assert (await asyncio.wait_for(waiting, 30)).text == "有。"
        assert states[-1] == ("ready", "")
    finally:
        await pool.stop()


@pytest.mark.slow
async def test_a_proxy_that_lets_no_long_speech_through_gives_up_no_word(lone: Scripted) -> None:
    pool, states = await one_server(lone)
    lone.answers = lambda kind: (413, "too large")
    lone.silence = lambda size: (413, "too large") if size > 100_000 else (200, '{"text": ""}')
    try:
        assert states[-1][0] == "ready"
        waiting = asyncio.create_task(pool.ask(np.tile(SPEECH, 8)))
        await until(lambda: states[-1][0] == "failed", 30)
        assert "too large" in states[-1][1]
        lone.answers = lambda kind: (200, '{"text": "有"}')
        lone.silence = lambda size: (200, '{"text": ""}')
        assert (await asyncio.wait_for(waiting, 30)).text == "有。"
    finally:
        await pool.stop()


@pytest.mark.slow
async def test_a_server_that_takes_silence_and_never_a_turn_is_set_wrongly(
    lone: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transcriber.recognition.server_pool._AGAIN_S", 0.1)
    pool, states = await one_server(lone)
    lone.answers = lambda kind: (400, '{"error": {"message": "no such option"}}')
    try:
        for _ in range(2):
            with pytest.raises(EngineLostError, match="no such option"):
                await asyncio.wait_for(pool.ask(SPEECH), 20)
        waiting = asyncio.create_task(pool.ask(SPEECH))
        await until(lambda: states[-1][0] == "failed", 30)
        assert "never took one" in states[-1][1]
        assert not waiting.done()
        lone.answers = lambda kind: (200, '{"text": "有"}')
        assert (await asyncio.wait_for(waiting, 30)).text == "有。"
        lone.answers = lambda kind: (400, "cannot decode")
        for _ in range(4):  # one that has taken turns is believed
            with pytest.raises(EngineLostError):
                await asyncio.wait_for(pool.ask(SPEECH), 20)
    finally:
        await pool.stop()
