"""What the room's screens are shown."""
