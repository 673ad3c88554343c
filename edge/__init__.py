"""The hearing in its room: state machine, evidence desk, the clerk's panel and the room's display."""
