"""Asks a network camera for a key frame, in the words of ONVIF (Media service, SetSynchronizationPoint).

RTSP knows no such question. A camera of profile S or T is asked over HTTP at the machine of its stream, with the same
account. The password is never sent: where the camera takes no hash of it (WS-UsernameToken, Digest), it is not asked.
What it answers is bounded in bytes and time (`hardware.drivers.onvif_answers`); it leads to no other machine.
"""

from __future__ import annotations

import hashlib
import secrets
import ssl
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import httpx

from hardware.camera_address import CameraAddress
from hardware.drivers.onvif_answers import MOST_BYTES, OnvifAnswer, OnvifProfile, is_same_stream
from hardware.drivers.sign_in import offers_in
from sync.errors import DeviceError

SERVICE = "/onvif/device_service"
"""The one address that every ONVIF device has (ONVIF core, 5.1.1)."""
HTTPS_PORT = 443
TIMEOUT_S = 4.0
LAST_YEAR = 2200
"""A camera whose clock says a later one has none."""
ANSWER_S = 8.0
"""Of one answer, however slowly it comes."""
_ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
    "{header}<s:Body>{body}</s:Body></s:Envelope>"
)
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_SECURITY = (
    f'<s:Header><w:Security xmlns:w="{_WSS}-wssecurity-secext-1.0.xsd" xmlns:u="{_WSS}-wssecurity-utility-1.0.xsd" '
    's:mustUnderstand="1"><w:UsernameToken><w:Username>{user}</w:Username>'
    f'<w:Password Type="{_WSS}-username-token-profile-1.0#PasswordDigest">'
    "{digest}</w:Password>"
    f'<w:Nonce EncodingType="{_WSS}-soap-message-security-1.0#Base64Binary">'
    "{nonce}</w:Nonce><u:Created>{created}</u:Created></w:UsernameToken></w:Security></s:Header>"
)
_DEVICE = "http://www.onvif.org/ver10/device/wsdl"
_MEDIA = "http://www.onvif.org/ver10/media/wsdl"
_SCHEMA = "http://www.onvif.org/ver10/schema"
_SETUP = (
    f'<StreamSetup><Stream xmlns="{_SCHEMA}">RTP-Unicast</Stream>'
    f'<Transport xmlns="{_SCHEMA}"><Protocol>RTSP</Protocol></Transport></StreamSetup>'
)


class OnvifCamera:
    """One camera; what it was asked once it is not asked again. For one thread."""

    def __init__(self, address: CameraAddress, port: int) -> None:
        """`port`: of its ONVIF service; 443: by HTTPS."""
        self._address = address
        scheme = "https" if port == HTTPS_PORT else "http"
        host = f"[{address.host}]" if ":" in address.host else address.host
        self._root = f"{scheme}://{host}:{port}"
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # cameras sign for themselves
        self._http = httpx.Client(verify=context, timeout=TIMEOUT_S, trust_env=False, follow_redirects=False)
        self._media: tuple[str, str] | None = None
        """The path of its Media service, and the token of the profile of our stream."""
        self._ahead = timedelta()
        """The camera's clock, as it says it, minus ours: what is signed is old by its clock, or is refused."""

    def close(self) -> None:
        """End its connections."""
        self._http.close()

    def ask_for_key_frame(self) -> None:
        """Ask once. `DeviceError` with the code `password` when the account is refused, else `onvif`."""
        try:
            if self._media is None:
                self._media = self._found()
            path, token = self._media
            done = self._ask(path, _MEDIA, "SetSynchronizationPoint", _profile(token))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise DeviceError(f"摄像机的 ONVIF 服务没有应答：{type(error).__name__}", code="onvif") from error
        if not done.has("SetSynchronizationPointResponse"):
            raise DeviceError("摄像机不接受请求关键帧（ONVIF SetSynchronizationPoint）", code="onvif")

    def streams(self) -> list[tuple[OnvifProfile, str]]:
        """Each of its streams with the address that it says, in its order; whoever asks takes no host of it.

        `DeviceError` as `ask_for_key_frame`.
        """
        try:
            path = self._media_path()
            profiles = self._ask(path, _MEDIA, "GetProfiles", "").profiles
            return [(one, self._stream_address(path, one.token)) for one in profiles]
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise DeviceError(f"摄像机的 ONVIF 服务没有应答：{type(error).__name__}", code="onvif") from error

    def _media_path(self) -> str:
        clock = self._post(SERVICE, "", f'<GetSystemDateAndTime xmlns="{_DEVICE}"/>')[1]
        said = None if clock is None else clock.utc
        self._ahead = timedelta() if said is None or said.year > LAST_YEAR else said - datetime.now(UTC)
        return self._ask(SERVICE, _DEVICE, "GetCapabilities", "<Category>Media</Category>").media_path

    def _stream_address(self, path: str, token: str) -> str:
        return self._ask(path, _MEDIA, "GetStreamUri", _SETUP + _profile(token)).stream_address

    def _found(self) -> tuple[str, str]:
        path = self._media_path()
        tokens = self._ask(path, _MEDIA, "GetProfiles", "").profile_tokens
        for token in tokens:
            if is_same_stream(self._stream_address(path, token), self._address.path):
                return path, token
        if not tokens:
            raise ValueError("the camera has no profile")
        return path, tokens[0]  # the first is the main stream, by custom

    def _ask(self, path: str, namespace: str, name: str, content: str) -> OnvifAnswer:
        """One question, signed for; `DeviceError` `password` when the camera does not take the account."""
        body = f'<{name} xmlns="{namespace}">{content}</{name}>'
        head, answer = self._post(path, self._security(), body)
        if head:
            offer = next((one for one in offers_in(head) if one.is_known), None)
            if offer is not None and self._address.user:
                head, answer = self._post(path, "", body, offer.authorization(self._address, "POST", path))
        if head or answer is None or answer.is_refused_sign_in:
            raise DeviceError("摄像机的 ONVIF 服务不接受用户名和密码", code="password")
        return answer

    def _security(self) -> str:
        if not self._address.user:
            return ""
        created = (datetime.now(UTC) + self._ahead).strftime("%Y-%m-%dT%H:%M:%SZ")
        nonce = secrets.token_bytes(16)
        hashed = hashlib.sha1(nonce + (created + self._address.password).encode(), usedforsecurity=False).digest()
        words = {"digest": b64encode(hashed).decode(), "nonce": b64encode(nonce).decode(), "created": created}
        return _SECURITY.format(user=escape(self._address.user), **words)

    def _post(self, path: str, header: str, body: str, authorization: str = "") -> tuple[str, OnvifAnswer | None]:
        """("", the answer), or (what a refusal offers, None). `ValueError` for what is no answer."""
        headers = {"Content-Type": "application/soap+xml; charset=utf-8"}
        if authorization:
            headers["Authorization"] = authorization
        content = _ENVELOPE.format(header=header, body=body).encode()
        until_s = time.monotonic() + ANSWER_S
        with self._http.stream("POST", self._root + path, content=content, headers=headers) as response:
            if response.status_code == 401:
                offers = response.headers.get_list("WWW-Authenticate")
                return "\n".join(f"WWW-Authenticate: {offer}" for offer in offers) or "401", None
            data = b""
            for piece in response.iter_bytes():
                data += piece
                if len(data) > MOST_BYTES or time.monotonic() > until_s:
                    raise ValueError("the answer has no end")
        return "", OnvifAnswer(data)


def _profile(token: str) -> str:
    return f"<ProfileToken>{escape(token)}</ProfileToken>"
