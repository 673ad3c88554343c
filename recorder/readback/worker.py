"""The process that reads closed files back: one job a line on its input, one answer a line on its output.

It yields to the recorder, in processor time and at the disk, and dies with the recorder.
"""

from __future__ import annotations

import contextlib
import json
import sys

import psutil
from pydantic import ValidationError

from recorder.readback.compare import differences
from recorder.readback.job import Job
from sync.runtime.process.processes import die_with_parent, weigh_apart

NICE = 10
"""Behind all services: what is wrong with a file is to be known within ten seconds."""


def main() -> None:
    """Answer jobs until the input ends."""
    die_with_parent()
    weigh_apart(NICE)
    with contextlib.suppress(psutil.Error, OSError):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_BE, 7)
    for line in sys.stdin:
        try:
            found = differences(Job.model_validate_json(line))
        except ValidationError as error:
            found = [f"回读核查无法进行：{error.errors()[0]['msg']}"]
        sys.stdout.write(json.dumps({"found": found}, ensure_ascii=False) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
