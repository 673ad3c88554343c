"""The settings of a bucket: what is missing, open to everybody or not encrypted is said before anything is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from server.bucket_settings import BucketSettings, read_keys
from server.config import Config, load_config
from server.objects.bucket_client import new_client
from server.objects.opened import open_objects
from sync.errors import ConfigError

TABLE = '[s3]\nendpoint = "{}"\nbucket = "record"\n'


def configured(folder: Path, *, objects: str = "s3", s3: str = TABLE.format("https://s3.court.example:8333")) -> Config:
    file = folder / "center.toml"
    file.write_text(f'[storage]\ndata = "d"\nobjects = "{objects}"\n{s3}')
    return load_config(file)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_a_bucket_has_to_be_named_where_it_is_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="endpoint and bucket"):
        configured(tmp_path, s3="")
    assert configured(tmp_path, objects="folder", s3="").s3.endpoint == ""


@pytest.mark.parametrize(
    "wrong",
    [
        'endpoint = "s3.court.example"\nbucket = "record"',
        'endpoint = "https://key:secret@s3.court.example"\nbucket = "record"',
        'endpoint = "https://s3.court.example/record"\nbucket = "record"',
        'endpoint = "https://s3.court.example"\nbucket = "Record"',
        'endpoint = "https://s3.court.example"\nbucket = "record"\nprefix = "/x"',
        'endpoint = "https://s3.court.example"\nbucket = "record"\nlink_s = 3600',
        'endpoint = "https://s3.court.example"\nbucket = "record"\nlock = "legal"',
    ],
)
def test_what_is_no_setting_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"s3\."):
        configured(tmp_path, s3=f"[s3]\n{wrong}\n")


def test_a_plain_wire_to_another_machine_is_named(tmp_path: Path) -> None:
    (wire,) = configured(tmp_path, s3=TABLE.format("http://10.1.2.3:8333")).plain_wires()
    assert wire.setting == "s3.endpoint"
    for near in ("http://127.0.0.1:8333", "http://[::1]:8333", "https://10.1.2.3:8333"):
        assert configured(tmp_path, s3=TABLE.format(near)).plain_wires() == []


def test_keys_come_from_a_file_of_their_own_or_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(tmp_path, s3=TABLE.format("https://s3.court.example") + 'keys_file = "keys"\n')
    file = tmp_path / "keys"
    with pytest.raises(ConfigError, match="cannot be read"):
        read_keys(config.s3)
    file.write_text("the-id\nthe-secret\n")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="open to everybody"):
        read_keys(config.s3)
    file.chmod(0o600)
    keys = read_keys(config.s3)
    assert (keys.id, keys.secret) == ("the-id", "the-secret")
    assert "the-" not in repr(keys)
    file.write_text("three words here")
    with pytest.raises(ConfigError, match="two lines"):
        read_keys(config.s3)
    bare = configured(tmp_path).s3
    with pytest.raises(ConfigError, match="AWS_SECRET_ACCESS_KEY"):
        read_keys(bare)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    assert read_keys(bare).secret == "b"


def test_what_speaks_to_a_store_is_asked_for_only_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    open_objects(configured(tmp_path, objects="folder", s3=""))
    with pytest.raises(ConfigError, match=r"wutong\[s3\]"):
        open_objects(configured(tmp_path))


def test_whoever_opens_a_store_loads_nothing_of_it_before() -> None:
    asked = "import sys, server.objects.opened; print({'boto3', 'botocore'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"


def test_an_authority_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    said = {"endpoint": "https://s3.court.example", "bucket": "record", "ca_file": tmp_path / "none.pem"}
    with pytest.raises(ConfigError, match="ca_file"):
        new_client(BucketSettings.model_validate(said))
