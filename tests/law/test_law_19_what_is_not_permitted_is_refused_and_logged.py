"""19. Filming, copying, deleting and moving without permission is refused and logged (art. 15)."""

from __future__ import annotations

import httpx

from tests.support.peers.center_peers import TOKENS, RoomPeer, Served, metadata, opening, until


async def test_every_attempt_is_refused_and_every_refusal_is_audited(archive: Served, sender: RoomPeer) -> None:
    sender.publish("events", opening(1))
    await until(lambda: 1 in sender.receipts())
    attempts = [
        ("GET", "/api/hearings/h1/media/bench?from_ms=0&to_ms=1"),
        ("GET", "/api/hearings/h1/exhibits/e1"),
        ("PUT", "/api/hearings/h1/access"),
        ("DELETE", "/api/uploads/" + "0" * 32),
        ("GET", "/api/search?q=x"),
    ]
    headers = {"X-Wutong": "1", "Tus-Resumable": "1.0.0"}
    async with httpx.AsyncClient(base_url=archive.url, headers=headers) as stranger:
        for method, path in attempts:
            assert (await stranger.request(method, path)).status_code == 401, path

    async def refusals() -> list[str]:
        return [str(row["detail"]) for row in await archive.audited("refused")]

    paths = {path.partition("?")[0] for _, path in attempts}
    for _ in range(500):
        logged = await refusals()
        if all(any(detail.endswith(path) for detail in logged) for path in paths):
            break
    assert all(any(detail.endswith(path) for detail in logged) for path in paths), logged
    assert not any(row["granted"] for row in await archive.audited("refused"))


async def test_another_room_can_neither_take_nor_move_what_is_not_its_own(archive: Served, sender: RoomPeer) -> None:
    sender.publish("events", opening(1))
    await until(lambda: 1 in sender.receipts())
    async with archive.uploader() as (tus, _):
        upload = await tus.create(metadata(0))
        await tus.append(upload, 0, b"picture and sound")
    headers = {"Authorization": f"Bearer {TOKENS['court1/c04']}", "Tus-Resumable": "1.0.0"}
    async with httpx.AsyncClient(base_url=archive.url, headers=headers) as other:
        assert (await other.head(f"/api/uploads/{upload}")).status_code in (403, 404)
        assert (await other.delete(f"/api/uploads/{upload}")).status_code in (403, 404)
        claim = {"upload": upload, "sha256": "0" * 64, "bytes": 17, "room": "court1/c04", "hearing": "h1"}
        answer = await other.post("/api/objects", json={**claim, "kind": "segment", "track": "bench", "index": 0})
        assert answer.status_code == 403
