"""The self-test of a room before the first hearing of a day."""
