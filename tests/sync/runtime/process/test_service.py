"""What a service says when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import structlog

from sync.errors import StorageError
from sync.runtime.process.service import Lifeline, run_service


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


async def _fails_in_a_task(lifeline: Lifeline) -> None:
    async def task() -> None:
        raise StorageError("the disk is full; free some space")

    async with asyncio.TaskGroup() as group:
        group.create_task(task())


def test_an_error_for_people_is_one_line_even_from_a_task_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_service("test", _fails_in_a_task) == 2
    assert capsys.readouterr().err.endswith("wutong: the disk is full; free some space\n")


def test_a_defect_is_not_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    async def defect(lifeline: Lifeline) -> None:
        async with asyncio.TaskGroup():
            raise KeyError("defect")

    with pytest.raises(ExceptionGroup):
        run_service("test", defect)
