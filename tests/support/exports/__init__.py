"""Honest exports, as a room and a center make them."""
