"""Whether an exported hearing is what the room recorded: twelve steps, one verdict, reasons in words.

Needs the folder and the center's public key; no network, no server, nothing of the room.
"""
