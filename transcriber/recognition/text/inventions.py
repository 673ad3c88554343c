"""What a model writes that nobody said: notes of sounds, credits of videos, more than a mouth can say.

Promises: judged by kind and in either script, never by a list of sentences; numbers are never taken for an invention
(a row of digits, an amount, a date). Decides nothing about the line: where all words are an invention the scheduler
writes that something was said there and not what (`transcriber.unheard`); where there is more, all of it stays, and
what may be invented is doubted (`doubtful`).
"""

from __future__ import annotations

import re

from transcriber.recognition.recognizer import Rejection
from transcriber.recognition.text.repetition import loops, numeral_share
from transcriber.recognition.text.script import to_simplified
from transcriber.recognition.text.tidying import characters, latin

MAX_CHARACTERS_PER_S = 13.0
"""The fastest speakers reach 9."""
MAX_LETTERS_PER_S = 26.0
"""English has more of them: 200 words a minute are 16."""
_AT_ONCE = 4
"""So many characters more are no wonder: the sound begins and ends somewhere near."""

_NOTE = re.compile(
    r"[（(\[［【〔{｛<＜«][^）)\]］】〕}｝>＞»]{0,60}(?:[）)\]］】〕}｝>＞»]|$)|\*[^*\d]{1,60}\*|[♪♫♬♩][^♪♫♬♩]{0,80}(?:[♪♫♬♩]|$)"
)
"""What stands in brackets, between asterisks or between notes of music: no mouth says these."""
_MAKES = r"提供|制作|翻译|校对|听打|听译|听写|编译|压制|赞助|整理|编辑|上传"
_WATCH = r"观看|收看|收听|观赏|聆听|订阅|点赞|视聽|视听"
_CALL = r"点赞|订阅|转发|打赏|点个赞|投币|收藏"
_CREDIT = re.compile(
    # Who made the subtitles, or anything else of a video.
    rf"(?:中文|双语|中英|本|由)?[^，。！？]{{0,20}}(?:{_MAKES})[^，。！？]{{0,4}}字幕"
    rf"|(?:中文|双语|中英)?字幕[^，。！？]{{0,6}}?(?:由|{_MAKES}|志愿者|组|社|君|来源|by|[：:])[^，。！？]{{0,24}}"
    r"|(?:翻译|校对|听译|听打|时间轴|后期|压制|剪辑|配音|片头|片尾)[：:][^，。！？]{1,20}"
    # Thanks to those who watch, calls to them, and the farewell.
    rf"|(?:谢谢|感谢|多谢)[^，。！？]{{0,8}}(?:{_WATCH})"
    rf"|(?:请|欢迎|记得|别忘了?)?[^，。！？]{{0,6}}(?:{_CALL})[^。！？]{{0,8}}(?:{_CALL})[^。！？]{{0,16}}"
    r"|(?:请|欢迎|记得|别忘了?)[^，。！？]{0,6}(?:订阅|点赞|关注)[^，。！？]{0,6}(?:频道|节目|栏目)"
    r"|打赏支持[^，。！？]{0,16}|(?:请)?不吝点赞"
    r"|(?:我们)?下[期集](?:视频|节目)?(?:再见|见|再会)|(?:明镜|点点|独播)[^，。！？]{0,12}(?:栏目|剧场|频道)[^，。！？]{0,12}"
    r"|(?:sub)?(?:titles?|captions?|transcri(?:bed|ptions?))\s*(?:were\s*)?(?:by|provided|made|created)\b.*"
    r"|amara\.org|thanks?\s*(?:you\s*)?(?:all\s*)?for\s*(?:watching|listening|viewing)"
    r"|(?:please\s*)?(?:like|subscribe|share)\W+(?:and\s*)?(?:like|subscribe|share)\b.*"
    r"|don'?t forget to (?:like|subscribe).*"
    r"|(?:また)?次の(?:动画|動画)で[^。]{0,12}|ご(?:视聴|視聴)ありがとうございました?|시청해\s*주셔서\s*감사합니다",
    re.IGNORECASE,
)
_BESIDES = 5
"""With more characters than this beside a credit it is taken for speech: a witness may say 感谢观看 too."""
_ZEROS = re.compile(r"(?<=\d)0{2,}")
_COUNTED = 0.5
"""From this share on the words are a number, whatever else is with it."""


def invented(text: str, seconds: float) -> Rejection | None:
    """Why `text`, the words of `seconds` of sound, cannot be what was said; None when it may be."""
    spoken = characters(text)
    if spoken == 0:
        return Rejection.NO_WORDS
    if numeral_share(text) >= _COUNTED:
        return None
    if characters(_NOTE.sub("", text)) == 0:
        return Rejection.ANNOTATION
    simplified = to_simplified(text)
    if _CREDIT.search(simplified) and characters(_CREDIT.sub("", simplified)) <= _BESIDES:
        return Rejection.CREDITS
    fastest = MAX_LETTERS_PER_S if latin(text) else MAX_CHARACTERS_PER_S
    # 1000000000 is said with two syllables.
    if characters(_ZEROS.sub("0", text)) > fastest * seconds + _AT_ONCE:
        return Rejection.TOO_FAST
    return None


def doubtful(text: str) -> list[tuple[int, int]]:
    """Find what may not have been said in words that stand in the record: (from, to) in characters, in their order."""
    if loops(text):
        return [(0, len(text))]
    notes = [m.span() for m in _NOTE.finditer(text) if numeral_share(m.group()) == 0 and characters(m.group())]
    # Script does not change the number of characters.
    credits = [m.span() for m in _CREDIT.finditer(to_simplified(text)) if numeral_share(m.group()) == 0]
    return sorted([*notes, *credits])
