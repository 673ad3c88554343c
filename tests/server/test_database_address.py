"""The address of the database: which are taken, how the wire to it is protected, and that no password is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.config import load_config
from server.database_address import plain_database, read_url, shown_url, with_password
from sync.errors import ConfigError
from sync.http.rights.people import write_private

HERE = ("127.0.0.1", "localhost", "[::1]", "")


@pytest.mark.parametrize(
    "url", ["nonsense://x:secret@y", "mysql://u:secret@h/d", "secret", "postgresql://u:secret@h:port/d"]
)
def test_what_is_no_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match="postgresql://USER") as refused:
        read_url(url)
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("host", HERE)
def test_on_this_machine_nothing_is_asked_of_the_wire(host: str) -> None:
    url = f"postgresql://center@{host}/wutong"
    assert "sslmode" not in read_url(url).query
    assert plain_database(url) == []
    assert plain_database("postgresql:///wutong?host=/run/postgresql") == []


@pytest.mark.parametrize(
    "where", ["db.court.example/wutong", "/wutong?host=db.court.example", "127.0.0.1/w?hostaddr=10.0.0.9"]
)
def test_to_another_machine_the_certificate_is_verified_unless_the_url_says_otherwise(where: str) -> None:
    url = f"postgresql://center@{where}"
    assert read_url(url).query["sslmode"] == "verify-full"
    assert read_url(url).query["sslrootcert"] == "system"
    assert plain_database(url) == []
    joined = "&" if "?" in url else "?"
    for weak in ("disable", "allow", "prefer", "require"):
        [wire] = plain_database(f"{url}{joined}sslmode={weak}")
        assert wire.setting == "storage.database"
    assert plain_database(f"{url}{joined}sslmode=verify-ca&sslrootcert=ca.pem") == []
    assert read_url(f"{url}{joined}sslrootcert=ca.pem").query["sslrootcert"] == "ca.pem"


def test_a_plain_wire_stops_the_start_of_a_center(tmp_path: Path) -> None:
    file = tmp_path / "center.toml"
    file.write_text('[storage]\ndata = "d"\ndatabase = "postgresql://c:secret@10.0.0.9/w?sslmode=disable"\n')
    config = load_config(file)
    with pytest.raises(ConfigError, match=r"storage\.database = 10\.0\.0\.9") as refused:
        config.policy.warnings(config.plain_wires())
    assert "secret" not in refused.value.message


def test_the_password_comes_from_a_file_of_its_own(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", "p@ss/w:ord 口令\n")
    file = tmp_path / "center.toml"
    text = '[storage]\ndata = "d"\ndatabase = "postgresql://center@127.0.0.1/w"\ndatabase_password_file = "secret"\n'
    file.write_text(text)
    url = load_config(file).database_url
    assert read_url(url).password == "p@ss/w:ord 口令"
    assert shown_url(url) == "postgresql://center@127.0.0.1/w"
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(ConfigError, match="open to everybody"):
        _ = load_config(file).database_url


def test_two_passwords_are_one_too_many(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", "x")
    with pytest.raises(ConfigError, match="keep one") as refused:
        with_password("postgresql://center:hidden@127.0.0.1/w", tmp_path / "secret")
    assert "hidden" not in refused.value.message
