"""What both ends of Wutong agree on: the time line, the messages, the room's log and the words for errors.

Nothing here knows a device, a screen or a database server; every other package may import it.
"""
