"""What all tests share: generated cases are the same at every run, so that a failure comes of a change, not of chance.

`WUTONG_EXPLORE=1` draws new ones, for who looks for defects. How long a case takes is nowhere a reason to fail.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("exploring", deadline=None)
settings.load_profile("exploring" if os.environ.get("WUTONG_EXPLORE") else "repeatable")
