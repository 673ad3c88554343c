"""The center as witness of the rooms' records."""
