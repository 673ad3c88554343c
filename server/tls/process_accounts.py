"""As whom the processes of a center come to their broker, and which topics a broker lets them hear.

Each of several (`wutong server --process N`) has an account of its own, because a broker ends the older of two
connections of one account. The policies of all brokers are made of what stands here.
"""

from __future__ import annotations

from sync import topics

MOST_PROCESSES = 64
PROCESS_HEARS = (*topics.ROOM_WRITES, topics.RECEIPTS)
"""Of every room: what the only process of a center hears, and what another process has receipted, because that is shown
to who follows the room here. What it says is what the only one says."""


def process_account(center: str, number: int) -> str:
    """The name of process `number` at the broker, where that of an only one would be `center`."""
    return f"{center}-{number}"


def process_accounts(center: str, processes: int) -> list[str]:
    """The accounts of the processes 1 to `processes`."""
    return [process_account(center, number) for number in range(1, processes + 1)]
