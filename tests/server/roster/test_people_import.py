"""Tables of people: what is read, what is refused line by line, and that nothing is saved that was not asked for."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from server.roster import people_table
from server.roster.people_table import TableLine, read_table, template
from sync.errors import WutongError
from tests.support.files.migrated import new_store
from tests.support.files.tables import xlsx
from tests.support.peers.roster_here import SignedIn, roster_here

HEAD = ["姓名", "登录名", "法院", "角色", "任职法院"]
GOOD = ["张三", "zhangsan", "d法院", "书记员", ""]


def table(*rows: list[str]) -> bytes:
    return "\r\n".join(",".join(row) for row in (HEAD, *rows)).encode()


def cells(lines: list[TableLine]) -> list[tuple[int, str]]:
    return [(line.number, "/".join(line.cells.values())) for line in lines]


def test_the_same_table_is_read_from_each_format() -> None:
    wanted = [(2, "张三/zhangsan/d法院/书记员/"), (4, "李四/2026001/d/法官、审判长/c")]
    rows = [HEAD, GOOD, [""] * 5, ["李四", "2026001", "d", "法官、审判长", "c"]]
    text = "\n".join(",".join(row) for row in rows)
    for data in (text.encode(), text.encode("utf-8-sig"), text.encode("gb18030"), text.replace(",", ";").encode()):
        assert cells(read_table(data)) == wanted
    assert cells(read_table(xlsx(rows))) == wanted
    english = "Role,Login,Court,Name,Other\njudge,zhangsan,d,张三,x\n".encode()
    assert cells(read_table(english)) == [(2, "张三/zhangsan/d/judge/")]
    assert cells(read_table(template())) == [(2, "张三/zhangsan/某某区人民法院/书记员/")]


def test_what_is_no_table_of_people_is_refused_whole_and_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "nothing")
    for data in (b"", b"\xff\xfe\x00", b"a,b,c\n1,2,3\n", packed.getvalue(), packed.getvalue()[:40], b"PK\x03\x04"):
        with pytest.raises(WutongError) as refused:
            read_table(data)
        assert refused.value.code == "table", data
    monkeypatch.setattr(people_table, "MOST_LINES", 2)
    with pytest.raises(WutongError, match="2"):
        read_table(table(GOOD, GOOD, GOOD))
    monkeypatch.setattr(people_table, "MOST_UNFOLDED_BYTES", 10)
    with pytest.raises(WutongError):
        read_table(xlsx([HEAD, GOOD]))


async def send(admin: SignedIn, data: bytes, save: str = "check") -> tuple[int, dict[str, object]]:
    files = {"file": ("people.csv", data, "text/csv")}
    answer = await admin.http.post("/api/admin/people/import", files=files, data={"save": save})
    return answer.status_code, answer.json()


async def test_a_half_good_table_saves_nothing_unless_asked_and_each_line_has_its_own_words(tmp_path: Path) -> None:
    async with roster_here(tmp_path, f"sqlite:///{new_store(tmp_path / 'center.db')}") as here:
        for slug, parent in (("p", None), ("c", "p"), ("d", "c"), ("e", "p")):
            await here.court(slug, parent)
        await here.person("chief", "administrator@p")
        await here.person("known", "clerk@d")
        admin = await here.signed_in(await here.person("mid", "administrator@c"))
        data = table(
            GOOD,
            ["李四", "ZHANGSAN", "d", "书记员", ""],
            ["", "wang", "d法院", "法管", ""],
            ["赵五", "known", "e法院", "法官", ""],
            ["钱六", "qian", "nowhere", "法官、审计员", "c"],
            ["孙七", "sun", "d", "judge、presiding", "c"],
        )
        status, checked = await send(admin, data)
        assert (status, checked["lines"], checked["good"], checked["saved"]) == (200, 6, 2, 0)
        faults = {(fault["line"], fault["field"]) for fault in checked["faults"]}  # type: ignore[attr-defined]
        assert faults == {
            (3, "login"),
            *((4, "name"), (4, "role")),
            *((5, "login"), (5, "court")),
            *((6, "court"), (6, "role")),
        }
        assert [row["line"] for row in checked["rows"]] == [3, 4, 5, 6]  # type: ignore[attr-defined]
        assert (await send(admin, data, "all"))[1]["saved"] == 0
        assert await admin.rows("/api/admin/people?q=zhangsan") == []
        assert (await send(admin, data, "good"))[1]["saved"] == 2
        made = {row["login"]: row for row in await admin.rows("/api/admin/people?court=d")}
        assert set(made) == {"known", "zhangsan", "sun"}
        assert made["sun"]["posts"] == [{"role": "judge", "court": "c"}, {"role": "presiding", "court": "c"}]
        again = (await send(admin, data, "good"))[1]
        assert (again["good"], again["saved"]) == (0, 0)
        status, refused = await send(admin, b"nothing")
        assert (status, refused["code"]) == (422, "table")
        assert (await send(admin, data, "everything"))[0] == 422


async def test_two_thousand_lines_are_saved_in_one_act(tmp_path: Path) -> None:
    async with roster_here(tmp_path, f"sqlite:///{new_store(tmp_path / 'center.db')}") as here:
        await here.court("p")
        admin = await here.signed_in(await here.person("chief", "administrator@p"))
        lines = [[f"人员{number}", f"user{number}", "p", "书记员", ""] for number in range(2000)]
        assert (await send(admin, table(*lines), "all"))[1]["saved"] == 2000
        status, page = await admin.ask("GET", "/api/admin/people?q=user19&sort=login")
        assert (status, page["total"]) == (200, 111)
        assert len(here.people.known.everybody()) == 2001
