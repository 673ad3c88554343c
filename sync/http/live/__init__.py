"""The live gateway of both web servers: one WebSocket a browser tab, which carries text and pictures."""
