"""Files that people write: what editors make of them is read, and what cannot be read is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies

from server.config import load_config
from sync.errors import ConfigError
from sync.runtime.files.handwritten import MAX_BYTES, HandwrittenError, read_text, read_toml, text_of, toml_of
from sync.runtime.files.secrets import read_secret

WORDS = 'court_name = "尖山区人民法院"\nroom_name = "第三法庭"\n'


@pytest.mark.parametrize(
    "data",
    [
        WORDS.encode(),
        b"\xef\xbb\xbf" + WORDS.encode(),
        WORDS.replace("\n", "\r\n").encode("utf-8-sig"),
        WORDS.replace("\n", "\r").encode(),
        WORDS.replace(" = ", "\t=\t").encode(),
        ("# 说明，“引号”和　空格\n" + WORDS + "# ［完］").encode(),
    ],
)
def test_what_editors_make_is_read(data: bytes) -> None:
    assert toml_of(text_of(data)) == {"court_name": "尖山区人民法院", "room_name": "第三法庭"}


@pytest.mark.parametrize(
    ("encoding", "mark", "named"),
    [
        ("gbk", b"", "GBK"),
        ("gb18030", b"", "GB18030"),
        ("utf-16-le", b"\xff\xfe", "UTF-16"),
        ("utf-16-be", b"\xfe\xff", "UTF-16"),
        ("utf-16-le", b"", "UTF-16"),
        ("utf-16-be", b"", "UTF-16"),
        ("utf-32-le", b"\xff\xfe\x00\x00", "UTF-32"),
    ],
)
def test_another_encoding_is_named_with_how_to_save_as_utf_8(
    tmp_path: Path, encoding: str, mark: bytes, named: str
) -> None:
    path = tmp_path / "center.toml"
    path.write_bytes(mark + WORDS.encode(encoding))
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    for word in (named, "UTF-8", "另存为", "Save as", str(path)):
        assert word in caught.value.message


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("a = 1\nname = “某某法院”\n", 2, 8, '半角 "'),
        ('name = "某某法院”\nb = 1\n', 1, 13, '半角 "'),
        ("name = ‘某’\n", 1, 8, "半角 '"),
        ('name ＝ "某"\n', 1, 6, "半角 ="),
        ('［room］\nname = "某"\n', 1, 1, "半角 ["),
        ('a = ["甲"，"乙"]\n', 1, 9, "半角 ,"),
        ('a = ["甲"、"乙"]\n', 1, 9, "半角 ,"),
        ('\n　name = "某"\n', 2, 1, "半角空格"),
        ('name\u00a0= "某"\n', 1, 5, "半角空格"),
        ("port = ８８００\n", 1, 8, "半角 8"),
        ("法院 = 1\n", 1, 1, "引号之外"),
        ("name = 某某法院\n", 1, 8, "引号之外"),
        ('name = "a"\nname = "b"\n', 2, 1, "“name”重复"),
        ("[a]\nx = 1\n[a]\ny = 2\n", 3, 1, "“a”重复"),
        ('name = "a\nb = 1\n', 1, 10, "格式不对"),
        ('a = """x\n', 1, 1, "没有写完"),
        ("a = 1\nb == 2\nc ＝ 3\n", 2, 4, "格式不对"),
    ],
)
def test_a_wrong_sign_is_told_with_its_place_and_the_right_one(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(HandwrittenError) as caught:
        toml_of(text)
    assert (caught.value.line, caught.value.column) == (line, column), caught.value.message
    assert says in caught.value.what


def test_a_file_that_is_no_text_says_where(tmp_path: Path) -> None:
    with pytest.raises(HandwrittenError, match="NUL") as caught:
        text_of(b"a = 1\r\nb\0 = 2\n")
    assert (caught.value.line, caught.value.column) == (2, 2)
    with pytest.raises(HandwrittenError, match="0xFF") as caught:
        text_of(b"a = 1\nb = \xff\xff\x80\n")
    assert (caught.value.line, caught.value.column) == (2, 5)
    with pytest.raises(HandwrittenError, match="larger"):
        text_of(b" " * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_text(tmp_path, "the profile")
    with pytest.raises(HandwrittenError):
        toml_of("a = " + "[" * 5000)


def test_a_token_that_windows_saved_is_the_token_and_no_error_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "room.token"
    path.write_bytes(b"\xef\xbb\xbf0123456789abcdef0123456789abcdef\r\n")
    path.chmod(0o600)
    assert read_secret(path, "the token") == "0123456789abcdef0123456789abcdef"
    path.write_bytes("0123456789abcdef".encode("utf-16"))
    with pytest.raises(ConfigError, match="UTF-16") as caught:
        read_secret(path, "the token")
    assert "0123456789abcdef" not in caught.value.message


def refused(data: bytes) -> HandwrittenError | None:
    try:
        toml_of(text_of(data))
    except HandwrittenError as error:
        return error
    return None


@given(strategies.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_named_error(data: bytes) -> None:
    error = refused(data)
    assert error is None or (error.line >= 1 and error.column >= 1 and error.what and error.english)


@given(strategies.text(strategies.sampled_from("a=\"'[]\n#“”，＝［］　{}.\\1甲"), max_size=30))
def test_any_text_gives_a_value_or_an_error_inside_of_it(text: str) -> None:
    error = refused(text.encode())
    assert error is None or 1 <= error.line <= text.count("\n") + 1


@given(strategies.text(max_size=50), strategies.sampled_from(["utf-8", "utf-8-sig"]))
def test_whatever_is_text_comes_back(text: str, encoding: str) -> None:
    text = text.replace("\0", "").replace("\r", "").removeprefix("\ufeff")
    assert text_of(text.encode(encoding)) == text


def test_a_file_is_named_in_its_error(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    path.write_text("name ＝ 1\n", encoding="utf-8")
    with pytest.raises(HandwrittenError, match=r"the profile .*room\.toml 第 1 行第 6 列"):
        read_toml(path, "the profile")
