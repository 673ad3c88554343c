"""Sound as the transcriber gets it: from the live feed, or decoded from the record."""
