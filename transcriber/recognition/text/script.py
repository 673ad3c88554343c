"""Simplified script, as a Chinese court writes; what is a character of simplified script by itself stays.

Promises: as many characters as before; 张乾 and 乾县人民法院 stay what they are. The table of the general standard
characters (通用规范汉字表, 2013) has 22 characters that are also the traditional form of another one (乾 of 干). Where
nothing else in the words is traditional such a character is meant, but for the two that are little words (于, 么).
Where the words are in traditional script it stays behind a surname. What the docket or a term writes with such a
character is put back by the corrector, as a revision.
"""

from __future__ import annotations

from functools import cache

from opencc import OpenCC

STANDARD = frozenset("乾剋劄吒夥徵扞於昇氾爇祕脩苧蒐薳薹袷谿釐陞麽")
"""Characters of the standard table that `t2s` would replace: `kTGH` of Unicode's Unihan against OpenCC."""
_OF_NAMES = frozenset("乾昇陞徵脩夥谿")
_SURNAMES = frozenset(
    "王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱高林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭程曹袁邓鄧许許傅沈曾彭吕呂"
    "苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉阎閻余潘杜戴夏钟鍾汪田任姜范方石姚谭譚廖邹鄒熊金陆陸郝孔白崔康毛邱秦江史顾顧侯邵孟龙龍"
)
_AFTER_QIAN = frozenset("安清陵坤隆卦元德嘉州")
"""What follows 乾 where it is read qián: 乾安縣, 乾清宮."""
_WORDS_WITH_ME = frozenset("什怎这那多甚")
_BEFORE_NAME = frozenset("告人方长員员叫姓名和与、，。：；！？ ")
_NO_NAME = frozenset("是此今本该其被庭上下前后年月日")


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


def in_simplified_alone(text: str) -> str:
    """Return `text` as OpenCC simplifies it, with every character that could be traditional."""
    return str(_converter().convert(text))


def to_simplified(text: str) -> str:
    """Return `text` in simplified script."""
    converted = in_simplified_alone(text)
    if converted == text or len(converted) != len(text) or STANDARD.isdisjoint(text):
        return converted
    traditional = any(a != b and a not in STANDARD for a, b in zip(text, converted, strict=True))
    return "".join(
        a if a in STANDARD and _stays(text, i, traditional=traditional) else b
        for i, (a, b) in enumerate(zip(text, converted, strict=True))
    )


def _stays(text: str, at: int, *, traditional: bool) -> bool:
    character, before, after = text[at], text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    if character == "麽":
        return not traditional and before not in _WORDS_WITH_ME
    if character == "於":
        # A surname: at the beginning, or behind who is named.
        named = not before or before in _BEFORE_NAME
        return named and "\u4e00" <= after <= "\u9fff" and after not in _NO_NAME and not traditional
    if traditional:
        return character in _OF_NAMES and (before in _SURNAMES or (character == "乾" and after in _AFTER_QIAN))
    return True
