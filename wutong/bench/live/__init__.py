"""How old the picture on a screen is."""
