"""Sound as the transcriber gets it: live from the recorder, or decoded from the segments on disk, in one form."""
