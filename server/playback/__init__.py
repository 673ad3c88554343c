"""Past pictures and sound, in ranges, for players."""
