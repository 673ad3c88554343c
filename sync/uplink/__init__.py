"""The way from a room to the center: the outbox, the uploads and the live media, each bounded and each resumable.

Nothing here owns a fact. Events live in the room's log and media on the room's disk; they are forgotten as "to be sent"
only when the center says that it has stored them. A center that is away costs the room nothing but the waiting.
"""
