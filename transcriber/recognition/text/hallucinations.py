"""What a model says when nobody spoke, and how text is made fit for the record.

Promises: text that a model is known to invent over silence, and text that repeats itself as speech never does, is
taken out before anyone sees it; script is simplified and punctuation Chinese. Never adds or changes a word.
"""

from __future__ import annotations

import re
import zlib
from functools import cache

from opencc import OpenCC

from transcriber.recognition.recognizer import Rejection

MAX_COMPRESSION = 2.6
"""UTF-8 bytes per deflated byte; Chinese speech stays below 1.6."""
MAX_CHARACTERS_PER_S = 13.0
"""The fastest speakers reach 9."""
MAX_LETTERS_PER_S = 26.0
"""English has more of them: 200 words a minute are 16."""

_INVENTED = re.compile(
    r"(中文)?字幕(志愿者|由|制作|提供|组|by)[^，。]{0,20}|(谢谢|感谢)(大家|您的|你的)?(观看|收看|收听)|(请)?不吝点赞|点赞.{0,4}订阅"
    r"|订阅.{0,6}(转发|打赏)|打赏支持(明镜)?|明镜(与点点|需要您)[^，。]{0,12}|优优独播剧场[^，。]{0,12}"
    r"|(our )?subtitles? by.*|amara\.org|thanks? (you )?for watching",
    re.IGNORECASE,
)
_BESIDES = 5
"""With more characters than this beside a known phrase it is taken for speech: a witness may say 感谢观看 too."""
_HALF_TO_FULL = str.maketrans({",": "，", "?": "？", "!": "！", ";": "；", ":": "："})
_REPEATED = re.compile(r"(.{3,12}?)\1{4,}|(.{1,2})\2{8,}")
"""对对对对对 is speech; nine times is not."""
_ECHOED = re.compile(r"(\w{3,20}[，。,、 ]?)\1+")
_LONG = 8
_ENDS = "。？！；…"


@cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")


def tidy(text: str) -> str:
    """Write simplified characters and Chinese punctuation, without blanks between them; English stays as it is."""
    text = _simplifier().convert(text).strip()
    if latin(text):
        return text.lstrip(",.?!;: ")
    # A point or colon inside a number or a Latin word stays what it is.
    text = re.sub(r"(?<![A-Za-z0-9])[,?!;:]|[,?!;:](?![A-Za-z0-9])", lambda m: m.group().translate(_HALF_TO_FULL), text)
    text = re.sub(r"(?<=[^\x00-\x7f])\.", "。", text)
    text = re.sub(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])", "", text)
    return text.lstrip("，。？！；：、 ")


def latin(text: str) -> bool:
    """Whether `text` is written in Latin letters alone: English, which keeps its own blanks and marks."""
    letters = [c for c in text if c.isalpha()]
    return bool(letters) and all(c < "\u0250" for c in letters)


def finish(text: str) -> str:
    """Close the sentence: what the record has ends with a mark."""
    text = text.rstrip("，、：,: ")
    if not text or text[-1] in _ENDS + ".?!":
        return text
    return text + ("." if latin(text) else "。")


def once(text: str) -> str:
    """Take out the immediate repetitions that a hasty pass makes; this is for captions only."""
    return _ECHOED.sub(r"\1", text)


def echoes(text: str) -> bool:
    """Whether a phrase comes twice in a row: people do that, a hasty pass does it more often. Worth another look."""
    return _ECHOED.search(text) is not None


def said_again(text: str) -> bool:
    """Whether as many as eight letters in a row come twice: within one turn that is mostly a pass that lost its way."""
    letters = "".join(c for c in text if c.isalnum())
    return any(letters[i : i + _LONG] in letters[i + _LONG :] for i in range(len(letters) - 2 * _LONG + 1))


def characters(text: str) -> int:
    """Count the letters, digits and ideographs of `text`."""
    return sum(c.isalnum() for c in text)


def invented(text: str, seconds: float) -> Rejection | None:
    """Why `text`, the words of `seconds` of sound, cannot be speech; None when it can."""
    spoken = characters(text)
    if spoken == 0:
        return Rejection.NO_WORDS
    simplified = _simplifier().convert(text)
    if _INVENTED.search(simplified) and characters(_INVENTED.sub("", simplified)) <= _BESIDES:
        return Rejection.KNOWN_PHRASE
    fastest = MAX_LETTERS_PER_S if latin(text) else MAX_CHARACTERS_PER_S
    if spoken > fastest * seconds + 4:
        return Rejection.TOO_FAST
    if _REPEATED.search(text):
        return Rejection.REPETITION
    raw = text.encode()
    if len(raw) > 60 and len(raw) / len(zlib.compress(raw)) > MAX_COMPRESSION:
        return Rejection.REPETITION
    return None
