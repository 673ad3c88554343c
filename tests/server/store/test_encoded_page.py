"""A page that is compressed once: every answer is one whole object, in one gzip member, whatever is added to it."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from typing import Any

import pytest

from server.store.encoded_page import EncodedPage, encode


def page_of(value: dict[str, Any], cut: int = 1000) -> EncodedPage:
    data = encode(value)[:-1]
    return EncodedPage.of(data[at : at + cut] for at in range(0, len(data), cut))


@pytest.mark.parametrize("count", [0, 1, 500, 20_000])
@pytest.mark.parametrize("cut", [1, 999, 10**9])
def test_every_answer_is_the_whole_object_in_one_member(count: int, cut: int) -> None:
    if count == 20_000 and cut == 1:
        cut = 17
    kept = {"id": "h1", "lines": [{"text": f"第{n}句话", "at": n / 7} for n in range(count)]}
    page = page_of(kept, cut)
    for more in ({"a": 1}, {"tracks": ["x" * 70_000], "unseen": []}, {"q": '"\\\n\u2028'}):
        packed = page.gzipped(more)
        reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
        data = reader.decompress(packed)
        assert reader.eof, "the member has its end and its checksum"
        assert reader.unused_data == b""
        assert json.loads(data) == {**kept, **more}
        assert page.plain(more) == data
        assert gzip.decompress(packed) == data


def test_what_one_answer_adds_is_in_no_other() -> None:
    page = page_of({"id": "h1"})
    assert json.loads(gzip.decompress(page.gzipped({"mine": "秘密"}))) == {"id": "h1", "mine": "秘密"}
    assert json.loads(gzip.decompress(page.gzipped({"yours": 1}))) == {"id": "h1", "yours": 1}
    # Nor does the length of the kept part tell of it: what is added refers to nothing before it.
    secret = str(random.Random(1).getrandbits(512))
    kept = page_of({"id": secret})
    assert len(kept.gzipped({"guess": secret})) == len(page_of({"id": secret[::-1]}).gzipped({"guess": secret}))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_json_does_not_know_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        page_of({"id": "h1"}).gzipped({"now_ms": number})
