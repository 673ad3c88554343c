"""How right and how quick the words are."""
