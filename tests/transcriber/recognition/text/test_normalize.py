"""What an engine or a server of speech says is clean text before anything is made of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.text.characters import clean_line
from transcriber.recognition.recognizer import Word
from transcriber.recognition.text.normalize import normalized


def test_an_engines_shapeless_characters_come_into_no_line() -> None:
    pieces = [Word("借\u200b条", 0.0, 0.5, 0.9), Word("是我\v写的", 0.5, 1.4, 0.9)]
    heard = normalized("借\u200b条是我\v写的\x00", pieces, 2.0, interim=False, confidence=0.9)
    assert heard.text == "借条是我 写的。" or heard.text == clean_line(heard.text)
    assert "\u200b" not in heard.text
    assert "".join(word.text for word in heard.words) == heard.text


@given(st.text(max_size=60), st.booleans())
def test_whatever_is_heard_comes_out_clean_or_not_at_all(text: str, interim: bool) -> None:
    heard = normalized(text, [], 5.0, interim=interim, confidence=0.5)
    assert heard.text == clean_line(heard.text)
    assert heard.text or heard.rejection is not None or not clean_line(text) or not any(c.isalnum() for c in text)
