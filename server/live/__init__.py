"""Live pictures and words, from the rooms to the inspectors."""
