"""Microphones -> captions -> utterances; engines behind one small interface."""
