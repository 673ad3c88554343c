"""Exhibits: files of parties are looked at, kept as they were handed in, and drawn once for all who show them."""
