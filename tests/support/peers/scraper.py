"""A scraper: reads what a service says to monitoring with the strict reader of the format's own project."""

from __future__ import annotations

import httpx
from prometheus_client.openmetrics.parser import text_string_to_metric_families

TOKEN = "0123456789abcdef0123456789abcdef"
GOOD = {"Authorization": f"Bearer {TOKEN}"}


def samples_of(text: str) -> dict[str, float]:
    """`name{a="b",c="d"}` -> value; labels by their names, and nothing is escaped."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


async def scraped(http: httpx.AsyncClient) -> dict[str, float]:
    """What `/metrics` says to who shows the token."""
    answer = await http.get("/metrics", headers=GOOD)
    assert answer.status_code == 200, answer.text
    return samples_of(answer.text)
