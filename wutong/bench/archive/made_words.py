"""Made-up sentences of hearings, always the same ones: characters are as unequal as in real speech, names are rare."""

from __future__ import annotations

import random

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
ROLES = ("审判长", "原告", "被告", "书记员", "证人", "原告代理人")
FRAMES = (
    "原告{name}陈述诉讼请求：{free}",
    "被告{name}答辩称{free}",
    "本院认为，{free}，对{name}的主张不予支持",
    "请证人{name}回答问题：{free}",
    "{free}，借款本金{money}万元",
    "对{name}提交的第{number}号证据，{free}",
    "{free}",
)
_SPOKEN_CHARS = 500_000
_PEOPLE = 4000


class MadeWords:
    """What can be said, and by whom."""

    def __init__(self, chance: random.Random) -> None:
        """`chance` decides; made of the same one, all words are the same."""
        letters = [chr(0x4E00 + n) for n in range(3500)]
        chance.shuffle(letters)
        weights = [1 / (place + 3) for place in range(len(letters))]
        given = "".join(letters[:800])
        self.people = [
            chance.choice(SURNAMES) + "".join(chance.choices(given, k=chance.choice((1, 1, 2)))) for _ in range(_PEOPLE)
        ]
        """Most of two characters, some of three."""
        self._spoken = "".join(chance.choices(letters, weights, k=_SPOKEN_CHARS))

    def line(self, chance: random.Random, first_person: int) -> tuple[str, str]:
        """(role, text) of a line that names one of six people."""
        begin = chance.randrange(len(self._spoken) - 30)
        free = self._spoken[begin : begin + chance.randint(4, 30)]
        person = self.people[(first_person + chance.randrange(6)) % len(self.people)]
        frame = chance.choice(FRAMES)
        words = frame.format(name=person, free=free, money=chance.randint(1, 99), number=chance.randint(1, 40))
        return chance.choice(ROLES), words
