"""One id for one thing: both ends make it of what they hold, and it tells nothing of it."""

from __future__ import annotations

import hashlib

from sync.runtime.logs.log_ids import CHARACTERS, batch_id, checkpoint_id, file_id, upload_id

DIGEST = hashlib.sha256(b"wutong").hexdigest()


def test_an_id_says_what_it_is_of_and_the_beginning_of_its_digest() -> None:
    made = [batch_id(DIGEST), file_id(DIGEST), upload_id(DIGEST), checkpoint_id(DIGEST)]
    assert made == [f"{kind}-{DIGEST[:CHARACTERS]}" for kind in ("batch", "file", "upload", "checkpoint")]


def test_what_has_no_digest_has_no_id() -> None:
    assert (batch_id(""), upload_id("")) == ("", "")
