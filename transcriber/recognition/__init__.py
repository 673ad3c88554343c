"""Engines other than the default one, and who runs which of them."""
