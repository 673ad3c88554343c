"""The form of an unlisted case over HTTP: what the kinds ask for, and what a case number says."""

from __future__ import annotations

from tests.support.rooms.edge_room import Room

CRIMINAL = {
    "case_no": "（2026）黑0502刑初9号",
    "kind": "criminal",
    "cause": "盗窃罪",
    "parties": {"公诉人": "周正", "被告人": "王五", "辩护人": "李律师"},
}


async def test_a_criminal_case_is_entered_and_its_number_begins_the_next_one(room: Room) -> None:
    told = (await room.clerk.get("/api/kinds")).json()
    assert told["court"] == ""
    criminal = next(kind for kind in told["kinds"] if kind["id"] == "criminal")
    assert criminal["types"][0] == "刑初"
    assert [role["name"] for role in criminal["roles"] if role["required"]] == ["被告人"]
    own = room.layout.kinds / "civil.toml"
    own.parent.mkdir(parents=True)
    own.write_text("name = “民事”", encoding="utf-8")
    opened = await room.clerk.post("/api/hearing", json=CRIMINAL)
    assert opened.status_code == 200, opened.text
    case = opened.json()["case"]
    assert (case["case_no"], case["kind"], case["paper"]) == ("(2026)黑0502刑初9号", "criminal", "法庭笔录")
    assert case["parties"] == CRIMINAL["parties"]
    assert (await room.clerk.get("/api/kinds")).json()["court"] == "黑0502"
    read = (await room.clerk.get("/api/kinds/number", params={"text": "(2026)黑0502行初1号"})).json()
    assert (read["kind"], read["level"], read["instance"], read["fault"]) == ("administrative", "basic", "first", None)
    wrong = (await room.clerk.get("/api/kinds/number", params={"text": "(2026)黑0502民出1号"})).json()
    assert (wrong["kind"], wrong["fault"]["part"], wrong["fault"]["at"]) == (None, "type", 11)
    assert "民初" in wrong["fault"]["message"]
    assert (await room.clerk.get("/api/kinds/number", params={"text": "1" * 200})).status_code == 422
    assert (await room.stranger.get("/api/kinds")).status_code == 401
    phrases = (await room.clerk.get("/api/phrases")).json()
    assert {"权利义务告知（刑事）"} <= {one["title"] for one in phrases if one["fits"]}
    assert "权利义务告知" not in {one["title"] for one in phrases if one["fits"]}
