"""Voices told apart where several people share a microphone: by their pitch, or by a speaker model."""
