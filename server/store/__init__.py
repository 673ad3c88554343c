"""Where the center keeps events, words and objects."""
