"""A camera that cannot be recorded says why itself: each way of refusing has a code, and no text has the password."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

import pytest

from hardware.camera_address import CameraAddress
from hardware.drivers.rtsp_probe import CameraAnswer, ask
from tests.support.peers.camera_sign_in import CountedSignIn, digest
from tests.support.peers.scripted_rtsp import ScriptedCamera

WORD = "s3cret/w#rd"
PICTURES = [[b"\x67\x42\xc0\x1e", b"\x68\xce", b"\x65abc"]]


async def asked(
    camera: ScriptedCamera, password: str = WORD, user: str = "court", timeout_s: float = 2
) -> CameraAnswer:
    async with camera.running():
        address = CameraAddress.parse(camera.url, user, password)
        answer = await asyncio.to_thread(ask, address, timeout_s)
    for text in (answer.text, answer.english):
        assert WORD not in text
    return answer


@pytest.mark.parametrize("algorithm", ["MD5"])
async def test_a_camera_that_lets_us_in_says_its_codec(algorithm: str) -> None:
    answer = await asked(ScriptedCamera(PICTURES, sign_in=digest("court", WORD, algorithm)))
    assert (answer.code, answer.codecs, answer.signed_in) == ("", ("H264",), f"Digest {algorithm}")


async def test_a_wrong_password_is_one() -> None:
    answer = await asked(ScriptedCamera(PICTURES, sign_in=digest("court", "another")))
    assert answer.code == "password"
    assert "401" in answer.text
    assert "Digest MD5" in answer.english


async def test_a_missing_password_is_asked_for() -> None:
    answer = await asked(ScriptedCamera(PICTURES, sign_in=digest("court", "another")), "", "")
    assert answer.code == "password"
    assert "wants user and password" in answer.english


@pytest.mark.parametrize(
    "challenge",
    [
        'Digest realm="c", nonce="n", algorithm=SHA-256',
        'Digest realm="c", nonce="n", algorithm="SHA-512-256"',
        "Negotiate",
    ],
)
async def test_a_way_of_signing_in_that_nobody_here_knows_is_named(challenge: str) -> None:
    answer = await asked(ScriptedCamera(PICTURES, sign_in=lambda _: f"WWW-Authenticate: {challenge}"))
    assert answer.code == "sign-in"
    name = challenge.split("algorithm=")[-1].strip('"')
    assert name in answer.text
    assert name in answer.english


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("404 Not Found", "path"),
        ("454 Session Not Found", "path"),
        ("403 Forbidden", "password"),
        ("453 Not Enough Bandwidth", "busy"),
        ("503 Service Unavailable", "busy"),
        ("500 Internal Server Error", "protocol"),
    ],
)
async def test_a_refusal_has_a_code(answer: str, code: str) -> None:
    said = await asked(ScriptedCamera(PICTURES, answer=answer))
    assert said.code == code
    assert answer[:3] in said.text


async def test_a_codec_that_cannot_be_kept_is_named() -> None:
    said = await asked(ScriptedCamera(PICTURES, codec="MP4V-ES"))
    assert said.code == "codec"
    assert "MP4V-ES" in said.text


async def test_the_camera_s_clock_is_read() -> None:
    wrong = format_datetime(datetime.now(UTC) - timedelta(hours=8), usegmt=True)
    said = await asked(ScriptedCamera(PICTURES, date=wrong))
    assert said.clock_off_s == pytest.approx(-8 * 3600, abs=5)
    assert (await asked(ScriptedCamera(PICTURES, date="yesterday"))).clock_off_s is None


async def test_what_does_not_speak_rtsp_or_says_nothing_is_said() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        await reader.read()
        writer.close()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    dripped = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(OSError):
            while not reader.at_eof():  # until who asked has hung up
                writer.write(b"R")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()
        dripped.set()

    for serve, code in ((rude, "unreachable"), (mute, "timeout"), (drip, "timeout")):
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        address = CameraAddress.parse(f"rtsp://127.0.0.1:{port}/x")
        assert (await asyncio.to_thread(ask, address, 0.5)).code == code
        server.close()
        await server.wait_closed()
    await dripped.wait()


def test_a_port_at_which_nobody_listens_refuses() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = CameraAddress.parse(f"rtsp://127.0.0.1:{port}/x")
    assert ask(address).code == "refused"
    assert ask(replace(address, scheme="rtsps")).code == "refused"


async def test_a_camera_that_offers_both_is_not_shown_the_password() -> None:
    given: list[str] = []
    judge = digest("court", WORD)

    def both(authorization: str) -> str:
        given.append(authorization)
        challenge = judge(authorization)
        return challenge and f'WWW-Authenticate: Basic realm="camera"\r\n{challenge}'

    answer = await asked(ScriptedCamera(PICTURES, sign_in=both))
    assert (answer.code, answer.signed_in) == ("", "Digest MD5")
    assert [words.split(" ")[0] for words in given] == ["", "Digest"]


async def test_a_password_that_was_refused_is_not_tried_again() -> None:
    sign_in = CountedSignIn(digest("court", "another"))
    async with ScriptedCamera(PICTURES, sign_in=sign_in).running() as camera:
        address = CameraAddress.parse(camera.url, "court", WORD)
        answer = await asyncio.to_thread(partial(ask, address, 2, refused=True))
    assert (answer.code, sign_in.refused) == ("password", 0)
    assert "Digest MD5" in answer.text


async def test_a_way_that_nobody_here_knows_is_named_without_trying() -> None:
    sha = digest("court", WORD, "SHA-256")
    async with ScriptedCamera(PICTURES, sign_in=sha).running() as camera:
        address = CameraAddress.parse(camera.url, "court", WORD)
        answer = await asyncio.to_thread(partial(ask, address, 2, refused=True))
    assert answer.code == "sign-in"
