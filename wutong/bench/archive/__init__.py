"""An archive of years, made by rows, and what it takes to ask it."""
