"""Makes the golden export of a form, once, in tests/export/golden/<form>/:

    PYTHONPATH=tests/attacks python tests/export/make_golden.py

A small honest hearing with all that a certificate, a transcript and signatures can say: a lawful pause, a gap, alarms,
a clock that was set, an exhibit, words after the seal, every act of revision, signatures, a refusal, objections and
documents. The keys are thrown away, so nobody can make it again: an export of a form that has been given out stays as
it is. Refuses to replace one.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.ledger.keys import public_pem
from tests.support.exports import honest_room
from tests.support.exports.honest_room import OPENED_NS, Center, HonestRoom, S, Story, make_media
from tests.support.exports.signed_words import write_and_sign
from wutong.export import forms
from wutong.export.bundle import export
from wutong.export.sources.room import RoomSource

HEARING = "20240302-093000-901d0001"
GOLDEN = Path(__file__).parent / "golden" / forms.FORM.replace("/", "-")
SMALL = {
    "judge": "-f lavfi -i color=gray:s=64x48:r=5 -t 10 -c:v libx264 -preset ultrafast -g 5 -bf 0 -pix_fmt yuv420p",
    "mics": "-f lavfi -i anullsrc=r=16000:cl=stereo -t 10 -c:a flac -frame_size 3200 -strict -2",
    "mix": "-f lavfi -i anullsrc=r=48000:cl=mono -t 10 -c:a aac -b:a 16k",
}


class GoldenRoom(HonestRoom):
    """A hearing in which everything happens."""

    def _open(self) -> None:
        super()._open()
        self.say("alarm", {"code": "disk", "subject": "room", "text": "磁盘剩余不足"}, 0.1)
        self.say("alarm", {"code": "track", "subject": "judge", "text": "摄像机没有画面"}, 0.2)
        self.say("alarm", {"code": "disk", "subject": "room", "text": "", "cleared": True}, 0.4)
        self.say("clock", {"by_ns": 3_000_000, "source": "chrony", "error_ms": 0.5}, 0.45)


def main() -> None:
    """Make it, or say that there is one."""
    if GOLDEN.exists():
        sys.exit(f"{GOLDEN} is there, and what has been given out is not changed; raise forms.FORM for another form")
    honest_room._MAKE.update(SMALL)
    honest_room._FLAGS = honest_room._FLAGS.replace("120000", "1000000")
    center = Center(Ed25519PrivateKey.generate())
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        (place / "media").mkdir()
        room = GoldenRoom(place / "data", HEARING, center)
        story = Story(pause=(4.0, 6.0, "mediation"), lost=(7.0, 7.6))
        story.words.append((7.1, 7.6, "clerk", "转账：\n张三 --> 李四"))
        story.words.append((7.6, 7.9, "clerk", "现在休庭。\r\n[00:00:02.000] 被告：我承认。\u2028\u202e止静\u202c\x07"))
        room.hold(make_media(place / "media"), story)
        start = OPENED_NS + 7 * S
        body = {
            "id": "late",
            "seat": "judge",
            "role": "审判长",
            "start_ns": start,
            "end_ns": start + S,
            "text": "闭庭。",
        }
        room.say("utterance", body, 20)
        room.sign()
        room.sign()
        write_and_sign(room)
        room.close()
        source = RoomSource(place / "data", HEARING)
        export(source, GOLDEN / "export", people=False)
        source.close()
    (GOLDEN / "center.pem").write_bytes(public_pem(center.key.public_key()))


if __name__ == "__main__":
    main()
