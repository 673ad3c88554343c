"""How far the room's record is sealed and witnessed."""
