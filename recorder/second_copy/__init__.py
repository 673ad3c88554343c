"""The same bytes in a second folder, by a process of its own."""
