"""Whole rooms, or one service of a room, as processes of their own."""
