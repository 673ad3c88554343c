"""Whose voice a turn is, where several people share a microphone."""
