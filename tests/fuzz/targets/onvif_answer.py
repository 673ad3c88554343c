"""What a camera answers by ONVIF."""

from __future__ import annotations

from collections.abc import Iterator

from hardware.drivers.onvif_answers import MOST_PROFILES, OnvifAnswer, is_same_stream
from tests.support.peers.onvif_peer import FAULT, enveloped


def target(data: bytes) -> None:
    try:
        answer = OnvifAnswer(data)
    except ValueError:
        return
    assert answer.utc is None or answer.utc.tzinfo is not None
    assert len(answer.profile_tokens) <= MOST_PROFILES
    is_same_stream(answer.stream_address, "/cam?channel=1")
    assert answer.is_refused_sign_in in (True, False)
    try:
        path = answer.media_path
    except ValueError:
        return
    assert path.startswith("/")
    assert path.isascii()


def seeds() -> Iterator[bytes]:
    time = "<Time><Hour>9</Hour><Minute>5</Minute><Second>1</Second></Time>"
    day = "<Date><Year>2026</Year><Month>1</Month><Day>2</Day></Date>"
    yield enveloped(f"<UTCDateTime>{time}{day}</UTCDateTime>")
    yield enveloped("<tt:Media><tt:XAddr>http://192.0.2.1/onvif/media</tt:XAddr></tt:Media>")
    yield enveloped('<trt:Profiles token="p1"/><trt:Profiles token="p2"/>')
    yield enveloped("<tt:Uri>rtsp://192.0.2.1/cam?channel=1</tt:Uri>")
    yield enveloped(FAULT.format("NotAuthorized"))
