"""A process: how it starts and stops, what it is the only one of, and who dies with it."""
