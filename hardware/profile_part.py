"""What all tables of a courtroom's profile have in common, and the kinds of fields that several have."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hardware.web_address import check_web_address
from sync.tls.hosts import host_of

WebAddress = Annotated[str, AfterValidator(lambda url: check_web_address(url) if url else url)]
HostName = Annotated[str, Field(max_length=253), AfterValidator(host_of)]
"""A name or an address of a machine."""


class ProfilePart(BaseModel):
    """A table; a field that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
