"""What the room's web server and the center's have in common: who may do what, the pages, the live gateway.

FastAPI is allowed here and in the packages above; nothing else in `sync` imports it.
"""
