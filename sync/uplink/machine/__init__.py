"""What the center is told of the room's machine: how it is, and what is plugged into it."""
