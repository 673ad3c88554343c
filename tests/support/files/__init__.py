"""Files that are made for a test."""
