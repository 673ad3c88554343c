"""The center's doors for inspectors and for parties."""
