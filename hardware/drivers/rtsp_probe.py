"""Asks a network camera what it is, in the words of RTSP, so that what is wrong with it can be named.

A library only says that a stream did not open. This asks for the description itself (RFC 2326, RFC 7826) and answers
which step failed: the name, the cable, the port, the password, the way of signing in, the path, the codec; and what
the camera's clock says. It plays nothing and holds the connection for seconds at most.
"""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from hardware.camera_address import CameraAddress
from hardware.drivers.sign_in import offers_in
from sync.runtime.bounds.deadline import Deadline

FaultCode = Literal[
    "", "name", "refused", "unreachable", "timeout", "password", "sign-in", "path", "codec", "busy", "protocol"
]
TIMEOUT_S = 4.0
MOST_BYTES = 256 * 1024
COPIED = {"H264": "H.264", "H265": "H.265"}
"""RTP names of the codecs that are kept as they come."""
LIBRARY_HASHES = ("MD5",)
"""Ways of Digest that the library which reads the stream knows."""


@dataclass(frozen=True)
class CameraAnswer:
    """What a camera answered; `code` is empty when it has a picture that can be kept."""

    code: FaultCode
    text: str
    """What is wrong, for the clerk and the technician, in Chinese; what was found when nothing is wrong."""
    english: str
    codecs: tuple[str, ...] = ()
    signed_in: str = ""
    """How: Basic, Digest MD5, Digest SHA-256."""
    clock_off_s: float | None = None
    """The camera's clock minus this machine's; None where it does not say."""


def ask(address: CameraAddress, timeout_s: float = TIMEOUT_S, *, refused: bool = False) -> CameraAnswer:
    """Ask it; this blocks for `timeout_s` a step at most, an answer in drops included, and raises nothing.

    `refused`: it has just refused the password, so it is not tried again: a camera locks the account after a few.
    """
    try:
        with _Conversation(address, timeout_s) as camera:
            return _ask(camera, address, refused=refused)
    except socket.gaierror:
        return CameraAnswer("name", f"找不到主机名 {address.host}", f"no machine is called {address.host}")
    except ConnectionRefusedError:
        return CameraAnswer(
            "refused",
            f"{address.place} 拒绝连接，请检查端口",
            f"{address.place} does not answer: it refuses; check the port",
        )
    except TimeoutError:
        return CameraAnswer(
            "timeout",
            f"{address.place} 在 {timeout_s:.0f} 秒内没有应答",
            f"{address.place} does not answer within {timeout_s:.0f} s; check the cable and the address",
        )
    except ssl.SSLError as error:
        return CameraAnswer(
            "protocol",
            f"{address.place} 不能加密连接（{error.reason}）",
            f"{address.place} speaks no TLS ({error.reason})",
        )
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or str(error)
        return CameraAnswer(
            "unreachable",
            f"{address.place} 无法连接（{words}）",
            f"{address.place} does not answer ({words}); check the cable and the address",
        )


@dataclass(frozen=True)
class _Reply:
    status: int
    head: str
    body: str


class _Conversation:
    """One connection to a camera."""

    def __init__(self, address: CameraAddress, timeout_s: float) -> None:
        self._address = address
        self._number = 0
        self._timeout_s = timeout_s
        self._deadline = Deadline(timeout_s)
        plain = socket.create_connection((address.host, address.port), timeout=timeout_s)
        if address.scheme == "rtsps":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # cameras sign for themselves
            try:
                plain = context.wrap_socket(plain, server_hostname=address.host)
            except (OSError, ValueError):  # no TLS there, or a host that is no name: nobody else holds the socket
                plain.close()
                raise
        self._socket = plain

    def __enter__(self) -> _Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def describe(self, authorization: str = "") -> _Reply:
        """Ask for the description of the stream."""
        self._number += 1
        self._deadline = Deadline(self._timeout_s)
        lines = [f"DESCRIBE {self._address.request} RTSP/1.0", f"CSeq: {self._number}", "Accept: application/sdp"]
        lines += ["User-Agent: Wutong"] + ([f"Authorization: {authorization}"] if authorization else [])
        self._deadline.holds(self._socket).sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head, _, rest = self._until(b"\r\n\r\n").partition(b"\r\n\r\n")
        text = head.decode("utf-8", "replace").replace("\r\n", "\n")
        found = re.match(r"RTSP/\d\.\d\s+(\d{3})", text)
        if not found:
            raise ValueError("it does not speak RTSP")
        length = re.search(r"(?im)^Content-Length:\s*(\d{1,7})", text)
        wanted = min(int(length[1]), MOST_BYTES) if length else 0
        while len(rest) < wanted:
            rest += self._more()
        return _Reply(int(found[1]), text, rest[:wanted].decode("utf-8", "replace"))

    def _until(self, mark: bytes) -> bytes:
        data = b""
        while mark not in data:
            data += self._more()
            if len(data) > MOST_BYTES:
                raise ValueError("its answer has no end")
        return data

    def _more(self) -> bytes:
        data = self._deadline.holds(self._socket).recv(64 * 1024)
        if not data:
            raise ConnectionResetError("it hung up")
        return data


def _ask(camera: _Conversation, address: CameraAddress, *, refused: bool) -> CameraAnswer:
    reply = camera.describe()
    signed_in = ""
    if reply.status == 401:
        offers = offers_in(reply.head)
        names = "、".join(offer.name for offer in offers) or "?"
        if not address.user:
            return CameraAnswer(
                "password", f"摄像机要求用户名和密码（{names}）", f"{address.place} wants user and password ({names})"
            )
        # Basic shows the password to whoever listens: as the library does, only where nothing better is offered.
        chosen = next((offer for way in (*_known(), "Basic") for offer in offers if offer.name == way), None)
        if chosen is None:
            return CameraAnswer(
                "sign-in",
                f"摄像机只接受 {names} 认证，本系统不支持；请在摄像机上启用 Digest MD5 或 Basic",
                f"{address.place} takes {names} only, which is not supported; allow Digest MD5 or Basic on the camera",
            )
        signed_in = chosen.name
        if not refused:
            reply = camera.describe(chosen.authorization(address, "DESCRIBE", address.request))
        if reply.status in (401, 403):
            return CameraAnswer(
                "password",
                f"用户名或密码不对（{reply.status}，{signed_in} 认证）；多次失败后摄像机可能锁定一段时间",
                f"{address.place} does not take user and password ({reply.status}, {signed_in});"
                " after several failures a camera may lock itself for a while",
            )
    return _judged(reply, address, signed_in)


def _judged(reply: _Reply, address: CameraAddress, signed_in: str) -> CameraAnswer:
    off_s = _clock_off_s(reply.head)
    if reply.status in (400, 404, 405, 454, 455):
        return CameraAnswer(
            "path",
            f"摄像机没有这一路径（{reply.status}）：{address.shown}",
            f"{address.place} has no such path ({reply.status}): {address.shown}",
            clock_off_s=off_s,
        )
    if reply.status in (403, 401):
        return CameraAnswer(
            "password", f"摄像机不允许查看（{reply.status}）", f"{address.place} does not allow it ({reply.status})"
        )
    if reply.status in (453, 503):
        return CameraAnswer(
            "busy",
            f"摄像机已达到连接数上限（{reply.status}）",
            f"{address.place} serves as many clients as it can ({reply.status})",
        )
    if reply.status != 200:
        return CameraAnswer(
            "protocol", f"摄像机应答 {reply.status}", f"{address.place} answers {reply.status}", clock_off_s=off_s
        )
    codecs = _codecs(reply.body)
    if not any(codec in COPIED for codec in codecs):
        names = "、".join(codecs) or "?"
        return CameraAnswer(
            "codec",
            f"摄像机送来 {names}，不能录制；请把主码流设为 H.264（或 H.265）",
            f"{address.place} sends {names}; set the camera's main stream to H.264 (or H.265)",
            codecs,
            signed_in,
            off_s,
        )
    shown = "、".join(COPIED.get(codec, codec) for codec in codecs)
    return CameraAnswer("", f"{address.place} {shown}", f"{address.place} {shown}", codecs, signed_in, off_s)


def _codecs(sdp: str) -> tuple[str, ...]:
    """The codecs of the pictures in a description, in its order."""
    found: list[str] = []
    in_video = False
    for line in sdp.replace("\r", "").split("\n"):
        if line.startswith("m="):
            in_video = line.startswith("m=video")
            if in_video and re.search(r" 26(\s|$)", line):
                found.append("JPEG")
        elif in_video and (rtpmap := re.match(r"a=rtpmap:\s*\d+\s+([\w.-]+)/", line)):
            found.append(rtpmap[1].upper())
    return tuple(found)


def _clock_off_s(head: str) -> float | None:
    line = re.search(r"(?im)^Date:\s*(.+)$", head)
    if line is None:
        return None
    try:
        said = parsedate_to_datetime(line[1].strip())
    except (ValueError, TypeError):
        return None
    said = said if said.tzinfo is not None else said.replace(tzinfo=UTC)
    return (said - datetime.now(UTC)).total_seconds()


def _known() -> tuple[str, ...]:
    return tuple(f"Digest {name}" for name in LIBRARY_HASHES)
