"""The files of tests that take longest begin first, so that at the end no worker waits for one that began last.

xdist gives a worker whole files, in the order in which they are collected (`--dist loadfile --no-loadscope-reorder`).
Otherwise those with the most tests come first, which are mostly quick.
"""

from __future__ import annotations

import pytest

LONGEST = (
    "server/api/test_every_route.py",
    "transcriber/recognition/test_transcription_servers.py",
    "server/roster/test_admin_pages.py",
    "transcriber/test_transcriber_service.py",
    "server/access/test_sealed_parts.py",
    "recorder/tiles/test_tile_recorder.py",
    "wutong/bench/center/test_center_bench.py",
    "faults/broker/test_fault_21_nats_killed.py",
    "recorder/test_program_track.py",
    "server/store/test_database_away.py",
    "wutong/bench/captions/test_conditions.py",
    "transcriber/recognition/text/test_language.py",
    "recorder/capture/test_camera_codecs.py",
    "server/leases/test_live_elsewhere.py",
    "wutong/center/test_migrate.py",
    "wutong/test_witnessed_hearing.py",
    "server/access/test_audit.py",
    "recorder/second_copy/test_second_copy.py",
    "faults/uplink/test_fault_30_cut_uploads.py",
    "server/leases/test_processes.py",
    "recorder/test_recorder_service.py",
    "faults/test_fault_02_power_cut.py",
    "hardware/workers/test_camera_streams.py",
    "server/live/test_wall_page.py",
    "transcriber/recognition/test_engines_in_the_room.py",
    "wutong/setup/test_room_on_the_wall.py",
    "wutong/setup/test_found_devices.py",
    "wutong/bench/province/test_province_bench.py",
    "wutong/bench/test_takeover_bench.py",
    "wutong/bench/sync/test_sync_bench.py",
    "wutong/bench/record/test_record_bench.py",
)
"""By what they took on 2026-12-01, six at a time on two cores: 153 s to 20 s."""


def sort(items: list[pytest.Item]) -> None:
    """Put these files first; the order of all others stays."""
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.nodeid.partition("::")[0].removeprefix("tests/"), len(LONGEST)))
