"""Whom a room believes on its way to the center: certificate, clock, and what the key of the center has signed."""
