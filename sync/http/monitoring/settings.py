"""The table `[metrics]` of a center's configuration and of a room's profile: who may read metrics, health, readiness.

Least right first: without a word nothing listens. With `port` a listener of its own on this machine alone; with
`token_file` the server's own port, HTTPS wherever it leaves the machine, for who shows the token.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class MetricsSettings(BaseModel):
    """Metrics, health and readiness for monitoring: /metrics, /healthz, /readyz."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: int = Field(
        0, ge=0, le=65535, description="port on 127.0.0.1 where programs of this machine may read them; 0: none"
    )
    token_file: Path | None = Field(
        None,
        description="file (mode 0600) with a bearer token for whom they are also on the server's own https port",
    )

    def below(self, folder: Path) -> MetricsSettings:
        """The same with a relative path taken from this folder."""
        file = None if self.token_file is None else folder / self.token_file.expanduser()
        return self.model_copy(update={"token_file": file})


NO_METRICS = MetricsSettings.model_construct()
"""Nothing listens, and nobody may read."""
