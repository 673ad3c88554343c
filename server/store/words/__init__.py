"""How words are found: the indexes over what was said."""
