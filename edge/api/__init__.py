"""The edge's doors: HTTP routes and web sockets, one file a subject."""
