"""Rooms that a court runs itself: adding, moving and retiring them, and how all of them are."""
