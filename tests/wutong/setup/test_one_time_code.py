"""The code of the setup page opens it once, and nothing else does."""

from __future__ import annotations

import pytest

from sync.errors import AccessError
from wutong.setup.one_time_code import ROLE, VALID_S, OneTimeCode


def test_the_code_signs_in_once_however_it_is_written() -> None:
    used: list[str] = []
    code = OneTimeCode(used.append, now_s=lambda: 1000.0)
    assert code.redeem(code.text.lower().replace("-", " "), "192.0.2.1")[::3] == (ROLE, 1000.0 + VALID_S)
    assert used == ["192.0.2.1"]
    with pytest.raises(AccessError) as refused:
        code.redeem(code.text, "192.0.2.2")
    assert refused.value.code == "used"
    assert used == ["192.0.2.1"]


@pytest.mark.parametrize("said", ["", "ABCD-EFGH-JK", "零", "é" * 10])
def test_another_code_does_not(said: str) -> None:
    code = OneTimeCode(lambda address: pytest.fail("it was taken"))
    with pytest.raises(AccessError) as refused:
        code.redeem(said, "192.0.2.1")
    assert refused.value.code == "code"
