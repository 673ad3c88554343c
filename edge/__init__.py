"""The hearing in its room: state machine, evidence, the clerk's panel and the room's display."""
