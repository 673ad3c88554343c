"""Device processes and what they deliver: fragments, placed on the room's time line."""
