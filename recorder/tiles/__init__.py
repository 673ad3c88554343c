"""The room's small picture for walls: made while somebody watches it, live alone."""
