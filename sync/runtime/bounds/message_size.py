"""How large a message between a room and its center may be, said once: for who sends it, who reads it and the broker.

A broker ends the connection of who sends a packet that is larger than it takes. Said again at the next connect, one
such message would end every connection that is made, so what is larger than `MAX_MESSAGE_BYTES` is never sent.
"""

from __future__ import annotations

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Of the payload of one message. A fragment of 160 ms would have 200 Mbit/s."""
MAX_PACKET_BYTES = MAX_MESSAGE_BYTES + 64 * 1024
"""What the broker takes of one packet: the payload and the longest topic that there can be."""
