"""What a model writes that nobody said: notes of sounds, credits of videos, more than a mouth can say.

Promises: judged by kind and in either script, never by a list of sentences; numbers are never taken for an invention
(a row of digits, an amount, a date). Decides nothing about the line: where all words are an invention the scheduler
writes that something was said there and not what (`transcriber.unheard`); where there is more, all of it stays, and
what may be invented is doubted (`doubtful`). What a witness may say as well as a model is never rejected: only credits
that nobody in a court would give, and appeals to those who watch.
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
_BEGINS = r"(?:^|(?<=[，。！？；：、,.!?;:\s]))"
_ENDS = r"(?=$|[，。！？；、,.!?;\s])"
_MAKES = r"提供|制作|翻译|校对|听打|听译|听写|编译|压制|赞助|整理|编辑|上传|出品"
_COMMUNITY = r"志愿者|字幕[组社]|社群|社区"
_WATCH = r"观看|收看|收听|观赏|订阅|点赞|视听"
_COURT = r"法庭|法院|法官|审判|合议|陪审|书记|公诉|律师"
_CALL = r"点赞|订阅|转发|打赏|点个赞|投币|收藏|关注|分享"
_ASKS = (
    rf"{_BEGINS}(?:请(?!问)|欢迎|记得|(?:别|不要)忘了?)"
    r"(?>(?:大家|各位|你们?|您|朋友们?|观众|多多|帮忙|不吝|继续|点击|一键|[给为]我们?|记得|[，,、 ]){0,6})"
)
"""An appeal, to nobody in particular: whoever says what somebody else did (他转发并收藏了) appeals to nobody."""
_CREDIT = re.compile(
    # Who made the subtitles of a video: those who do it for nothing, by whom models were taught.
    rf"{_BEGINS}由?[^，。！？]{{0,20}}amara\.org.*"
    rf"|{_BEGINS}(?:本|中文|双语|中英)?字幕志愿者[：:\s]*[^，。！？\s是的被由未没有在了]{{0,4}}{_ENDS}"
    rf"|{_BEGINS}(?:中文|双语|中英)字幕[组社](?:{_MAKES})*{_ENDS}"
    rf"|{_BEGINS}字幕[组社](?:(?:{_MAKES}){{2,}}{_ENDS}|[：:][^，。！？]{{1,20}})"
    rf"|{_BEGINS}由[^，。！？]{{0,16}}(?:{_COMMUNITY})(?:{_MAKES})的?(?:中文|双语)?字幕"
    rf"|{_BEGINS}(?:本|中文|双语|中英)?字幕由[^，。！？]{{0,16}}(?:{_COMMUNITY})(?:{_MAKES}){_ENDS}"
    rf"|{_BEGINS}(?:本|中文|双语|中英)?字幕\s*by[^，。！？]{{1,20}}"
    # Thanks to those who watch, appeals to them, and the farewell.
    rf"|(?:谢谢|感谢|多谢)(?:(?!{_COURT})[^，。！？]){{0,8}}(?:{_WATCH})"
    rf"|{_ASKS}(?:{_CALL})(?>(?:[\s，,、和与及并或]*(?:{_CALL}|支持|评论|留言))+)(?![过了的])[哦喔啊吧呀]?"
    rf"|{_ASKS}(?:订阅|点赞|关注)[^，。！？了过]{{0,6}}(?:频道|节目|栏目)"
    r"|不吝点赞|打赏支持(?:明镜|点点)[^，。！？]{0,8}|(?:明镜|点点)[与和]?(?:明镜|点点)?栏目"
    rf"|{_BEGINS}优优独播剧场[^，。！？]{{0,40}}|{_BEGINS}(?:[我咱]们)?下[期集](?:视频|节目)?(?:再见|见|再会){_ENDS}"
    r"|\b(?:sub\s?titles?|captions?)\s*by\b.*"
    r"|\btranscri(?:bed|ptions?)\s*by\s*(?:eso\b|castingwords|otter|https?:|www\.).*"
    r"|thanks?\s*(?:you\s*)?(?:all\s*)?(?:so much\s*)?for\s*(?:watching|viewing)"
    r"|\b(?:please|remember\sto|don'?t\sforget\sto)\s(?:subscribe(?=\W*$|\s(?:to|and|for)\b)|(?:like|share)(?:\W+and)?\W+(?:like|share|subscribe|comment|this\svideo))\b.*"
    r"|\blike(?:\W+and)?\W+subscribe\b.*"
    r"|(?:また)?次の(?:动画|動画)で[^。]{0,12}|ご(?:视聴|視聴)ありがとうございました?|시청해\s*주셔서\s*감사합니다",
    re.IGNORECASE,
)
_LIKE_CREDIT = re.compile(
    rf"{_BEGINS}由?[^，。！？]{{0,20}}(?:{_MAKES})的?(?:中文|双语)?字幕"
    rf"|{_BEGINS}(?:本|中文|双语|中英)?字幕(?:由[^，。！？]{{0,16}}(?:{_MAKES})|(?:{_MAKES}){{0,3}}[：:]|(?:{_MAKES})|志愿者|[组社君]|来源)"
    r"[^，。！？]{0,24}"
    r"|thanks?\s*(?:you\s*)?(?:all\s*)?for\s*listening|\b(?:sub\s?titles?|captions?)\s*(?:were\s*)?(?:provided|made|created)\b.*"
    r"|\btranscri(?:bed|ptions?)\s*by\b.*",
    re.IGNORECASE,
)
"""What a witness may say as well as a model: 字幕由原告制作. It stays, and is doubted."""
_BESIDES = 5
"""With more characters than this beside a credit it is taken for speech: a witness may say 感谢观看 too."""
_QUOTED = re.compile("[说写讲念称问答]")
"""Beside a credit: it is somebody's report of one."""
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
    besides = _CREDIT.sub("", simplified)
    if besides != simplified and characters(besides) <= _BESIDES and not _QUOTED.search(besides):
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
    simplified = to_simplified(text)  # script does not change the number of characters
    credits = [
        m.span()
        for pattern in (_CREDIT, _LIKE_CREDIT)
        for m in pattern.finditer(simplified)
        if numeral_share(m.group()) < _COUNTED
    ]
    return sorted({*notes, *credits})
