"""What is hard to write down, spoken: digits, ID, bank and phone numbers, amounts, dates, lists and one-word answers.

Made by espeak-ng (Debian: espeak-ng) from pinyin, so that everybody hears the same: Debian's reads characters of its
Mandarin voice as letters and tones. A robot's voice is hard for a speech model, which makes it invent and repeat: what
is measured is whether a line comes of it, not how right its words are.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import numpy as np
from pypinyin import Style, lazy_pinyin

from hardware.simulation.hearing_folder import HearingFolder, Said, decode_audio
from sync.errors import ConfigError
from transcriber.audio.pcm import RATE_HZ
from wutong.bench.captions.conditions import Sound, write_hearing

SPOKEN: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("digits", ("八八八八八八八八", "零零零零零零零零零零", "一二三四五六七八九零", "九九九，八八八，七七七，六六六")),
    ("phone", ("我的电话是幺三八八八八八八八八八", "电话是零四六九，四二二二二二二", "幺八六，零零零零，零零零零")),
    ("id", ("身份证号码是二三零一零三一九八五零三一二零零一八", "幺幺零幺零幺，幺九九零零幺零幺，零零幺幺")),
    ("bank", ("卡号是六二二二，零二二二，二二二二，二二二二，二二二", "尾号是零零零零")),
    (
        "amount",
        (
            "金额是十亿元",
            "三千二百元五角八分",
            "借款三十万元，利息三千元，合计三十万三千元",
            "一千元，一千元，一千元，一千元，一千元",
        ),
    ),
    (
        "date",
        (
            "二零二三年六月至九月",
            "六月一号到七号",
            "农历八月十五日",
            "二零二二年二月二日，二零二二年二月二十二日",
        ),
    ),
    (
        "list",
        (
            "第一笔还款一万元，第二笔还款一万元，第三笔还款一万元，第四笔还款一万元",
            "证据一，借条原件。证据二，转账凭证。证据三，微信聊天记录。",
            "第一、第二、第三、第四、第五、第六",
            "没有，没有，没有，没有，没有，没有",
        ),
    ),
    ("answer", ("是", "对", "有", "没有", "不是", "好", "同意", "对对对对对")),
    ("closing", ("谢谢审判长", "谢谢大家")),
)
"""By kind: what is said."""
_ROLES: Final = {0: ["原告"], 1: ["被告"]}
_VOICES: Final = (("cmn-latn-pinyin", "150", "45"), ("cmn-latn-pinyin+f3", "165", "60"))
"""Voice, words a minute and pitch of each seat."""
_PAUSE_S: Final = 1.2
_NOISE_DB: Final = -62.0
_LEVEL: Final = 0.25
"""The loudest sample of each utterance."""
_LEAK: Final = 0.06
"""How much of each voice is in the other microphone."""
_LATER: Final = 80
"""… and so many samples later."""
_AUDIBLE: Final = 0.01


def make(folder: Path) -> HearingFolder:
    """Speak them one after the other, in turns at two seats. `ConfigError` without espeak-ng."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces: list[Sound] = [np.zeros((2 * RATE_HZ, 2))]
    said: list[Said] = []
    for _, texts in SPOKEN:
        for text in texts:
            seat = len(said) % 2
            voice = _spoken(folder / "voice.wav", text, seat)
            start_s = sum(map(len, pieces)) / RATE_HZ
            said.append(
                Said(channel=seat, role=_ROLES[seat][0], start=start_s, end=start_s + len(voice) / RATE_HZ, text=text)
            )
            piece = np.zeros((len(voice) + int(_PAUSE_S * RATE_HZ), 2))
            piece[: len(voice), seat] = voice
            piece[_LATER : _LATER + len(voice), 1 - seat] += _LEAK * voice
            pieces.append(piece)
    sound = np.concatenate([*pieces, np.zeros((RATE_HZ, 2))])
    sound += np.random.default_rng(20).normal(0, 10 ** (_NOISE_DB / 20), sound.shape)
    return write_hearing(folder / "hearing", sound, _ROLES, said)


def _spoken(file: Path, text: str, seat: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    voice, speed, pitch = _VOICES[seat]
    said = " ".join(lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True))
    command = ["espeak-ng", "-v", voice, "-s", speed, "-p", pitch, "-w", str(file), said]
    try:
        subprocess.run(command, capture_output=True, check=True, timeout=30)
    except FileNotFoundError:
        raise ConfigError("espeak-ng is missing, which speaks the numbers: apt install espeak-ng") from None
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"espeak-ng could not speak {text!r}: {error}") from error
    sound = decode_audio(file, RATE_HZ)[:, 0].astype(np.float64) / 32768.0
    sound *= _LEVEL / max(float(np.abs(sound).max()), 1e-6)
    audible = np.flatnonzero(np.abs(sound) > _AUDIBLE * _LEVEL)
    return sound[audible[0] : audible[-1] + 1] if len(audible) else sound
