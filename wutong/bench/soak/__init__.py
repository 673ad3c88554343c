"""Whether room, broker and center stay as they are, hearing after hearing."""
