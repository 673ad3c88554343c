"""What models invent is told by its kind and in either script; what people say stays, and numbers always do."""

from __future__ import annotations

import pytest
from opencc import OpenCC

from transcriber.recognition.recognizer import DOUBTED_PROBABILITY, Rejection
from transcriber.recognition.text.inventions import doubtful, invented
from transcriber.recognition.text.normalize import evenly_timed, normalized

NOTES = [
    "（掌声）",
    "(笑)",
    "[音乐]",
    "【背景音乐】",
    "（法庭内有人小声说话",
    "*叹气*",
    "♪ 月亮代表我的心 ♪",
    "[BLANK_AUDIO]",
    "(humming) [NO_SPEECH]",
    "(clears throat)",
]
CREDITS = [
    "字幕志愿者 杨茜茜",
    "中文字幕志愿者李某某",
    "字幕由某某字幕组提供",
    "字幕by某某",
    "中文字幕由Amara.org社区提供",
    "由某某社区提供的字幕",
    "由Amara.org社群提供的字幕",
    "中文字幕组翻译制作",
    "谢谢观看",
    "感谢您的收听",
    "多谢大家收看",
    "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
    "欢迎订阅我的频道",
    "记得点赞和订阅哦",
    "欢迎大家多多点赞、关注、分享！",
    "请订阅我们的频道",
    "别忘了点赞收藏",
    "好的，谢谢大家观看",
    "我们下期再见",
    "Subtitles by the community",
    "Captions by nobody",
    "Thank you for watching!",
    "Please like and subscribe.",
    "Hello, Subtitles by the Amara.org community. Best regards, somebody",
    "次の動画でお会いしましょう",
]
SAID_LIKE_CREDITS = [
    "字幕由原告制作。",
    "本字幕由张三制作",
    "字幕：李四",
    "字幕校对：王五",
    "字幕组翻译的。",
    "是字幕组。",
    "原告制作的字幕。",
    "字幕志愿者是被告雇的。",
    "Thank you all for listening.",
    "Transcribed by the clerk.",
    "The subtitles were made by the plaintiff.",
]
"""What a witness may say as well as a model."""
SAID = [
    "被告多次转发点赞该侵权视频，影响很大。",
    "我转发并收藏了这篇文章。",
    "我点赞、转发过。",
    "记得转发点赞收藏过。",
    "请问你点赞、转发了吗？",
    "请法庭注意，被告在朋友圈点赞、评论了该内容。",
    "欢迎订阅是他们公众号里写的。",
    "她给主播打赏支持，一共刷了五万。",
    "请原告收看大屏幕上的证据。",
    "视频的字幕是后加的。",
    "优酷独播的剧场版电影。",
    "请原告说明转发、点赞的数量。",
    "请被告说明是否关注该频道。",
    "我关注了他的频道。",
    "打赏支持了主播。",
    "翻译：我叫阿依古丽。",
    "校对：是我本人做的。",
    "后期：由被告负责。",
    "感谢法庭的聆听。",
    "谢谢审判长观看视频。",
    "他说，谢谢观看。",
    "字幕组未经授权翻译了该剧。",
    "独播权归原告的频道所有。",
    "该剧由某某独播剧场频道播出。",
    "The title was provided by the bank.",
    "We like and share the same house.",
    "Please share the document with the clerk.",
    "Please like it or not, answer.",
    "Please subscribe your name here.",
    "对对对对对，是这样。",
    "没有异议。",
    "他在视频最后说了谢谢观看，字幕上也有这几个字。",
    "借款本金三十万元，利息按年利率百分之六计算。",
    "谢谢审判长。",
    "感谢法庭给我陈述的机会。",
    "由原告提供的借条原件。",
    "请翻译人员到庭。",
    "这份证据由公安机关制作。",
    "请把那条微信转发给法庭。",
    "民事判决书（副本）已经收到。",
    "（一）",
    "（2026）黑05民初123号",
    "我下次再见他的时候他不认账。",
]
NUMBERS = [
    "13888888888",
    "我的电话是13888888888。",
    "1000000000元",
    "6222000000000000000",
    "230103198501111111",
    "幺三八八八八八八八八八",
    "二〇二三年六月一日",
    "（三十万元）",
    "100000000000000元",
]


@pytest.mark.parametrize("text", NOTES)
def test_notes_of_sounds_are_no_words(text: str) -> None:
    for script in (text, OpenCC("s2t").convert(text), OpenCC("s2twp").convert(text)):
        assert invented(script, 5) is Rejection.ANNOTATION


@pytest.mark.parametrize("text", CREDITS)
def test_credits_are_no_words(text: str) -> None:
    for script in (text, OpenCC("s2t").convert(text), OpenCC("s2hk").convert(text)):
        assert invented(script, 5) is Rejection.CREDITS


@pytest.mark.parametrize("text", SAID)
def test_what_people_say_is_kept(text: str) -> None:
    for script in (text, OpenCC("s2t").convert(text)):
        assert invented(script, 5) is None


@pytest.mark.parametrize("text", SAID)
def test_what_is_said_in_court_is_doubted_only_where_a_model_may_have_written_it(text: str) -> None:
    may_be = any(like in text for like in ("谢谢观看", "字幕组", "（副本）"))
    assert (doubtful(text) != []) == may_be


@pytest.mark.parametrize("text", SAID_LIKE_CREDITS)
def test_what_a_witness_may_say_as_well_as_a_model_stays_and_is_in_doubt(text: str) -> None:
    for script in (text, OpenCC("s2t").convert(text)):
        assert invented(script, 5) is None


@pytest.mark.parametrize("text", ["字幕由原告制作。", "本字幕由张三制作", "字幕：李四", "字幕校对：王五"])
def test_credits_of_people_are_doubted(text: str) -> None:
    heard = normalized(text, evenly_timed(text, 0, 4, 0.9), 4, interim=False, confidence=0.9)
    assert heard.text.rstrip("。") == text.rstrip("。")
    assert {w.probability for w in heard.words} == {DOUBTED_PROBABILITY}


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize("seconds", [0.4, 2.0, 20.0])
def test_numbers_are_always_kept(text: str, seconds: float) -> None:
    assert invented(text, seconds) is None
    heard = normalized(text, (), seconds, interim=False, confidence=0.8)
    assert heard.text.rstrip("。") == text.rstrip("。")
    assert {w.probability for w in heard.words} == {0.8}


def test_a_hundred_characters_in_a_second_are_not_speech() -> None:
    assert invented("原告主张被告应当承担违约责任并赔偿损失" * 2, 0.8) is Rejection.TOO_FAST
    assert invented("我还了他1000000000元", 0.8) is None


def test_marks_alone_are_no_words() -> None:
    assert invented("。。。", 5) is Rejection.NO_WORDS


def test_what_may_be_invented_within_speech_stays_and_is_in_doubt() -> None:
    text = "我没有拿那笔钱（笑声）。"
    assert doubtful(text) == [(7, 11)]
    heard = normalized(text, evenly_timed(text, 0, 4, 0.9), 4, interim=False, confidence=0.9)
    assert "".join(w.text for w in heard.words) == heard.text == text
    assert [w.text[0] for w in heard.words if w.probability <= DOUBTED_PROBABILITY] == ["笑", "声"]


def test_words_that_go_round_in_a_circle_stay_and_are_in_doubt() -> None:
    text = "没有" * 11
    heard = normalized(text, evenly_timed(text, 0, 5, 0.9), 5, interim=False, confidence=0.9)
    assert heard.text == text + "。"
    assert {w.probability for w in heard.words} == {DOUBTED_PROBABILITY}
    assert heard.confidence == DOUBTED_PROBABILITY
    assert normalized(text, (), 5, interim=True, confidence=0.9).rejection is Rejection.REPETITION
