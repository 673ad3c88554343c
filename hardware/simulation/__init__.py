"""A courtroom without devices: drawn cameras, played microphones, a script."""
