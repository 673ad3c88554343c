"""How far the room's clock may be from UTC, and who says so."""
