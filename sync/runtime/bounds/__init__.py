"""Bounds on what strangers may take: room in a queue, time, bytes of one message."""
