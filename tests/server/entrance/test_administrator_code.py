"""The way out of the only administrator: a code that is made at the center's machine, beside the running center."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.errors import ConfigError
from tests.support.peers.entrance_here import PASSWORD, EntranceHere, an_administrator
from wutong.center import administrator_code as command


async def test_the_only_administrator_comes_in_anew_by_a_code_of_the_machine(
    here: EntranceHere, tmp_path: Path
) -> None:
    before = await an_administrator(here)
    assert (await before.get("/api/account"))["login"] == "admin"
    config = tmp_path / "center.toml"
    config.write_text(f'[storage]\ndata = "{tmp_path}"\n')
    code = await command.made_code(config, "Admin")
    browser = here.browser()
    assert (await browser.post("/api/sign-in", login="admin", password=PASSWORD))["code"] == "password"
    assert (await browser.signs_up("admin", code, "another good password"))["step"] == "done"
    assert (await browser.get("/api/account"))["login"] == "admin"
    assert (await before.ask("GET", "/api/account"))[0] == 401, "what was open before the code is not open any more"
    with pytest.raises(ConfigError, match="no active administrator"):
        await command.made_code(config, "nobody")
