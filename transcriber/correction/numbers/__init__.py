"""Numbers as they are said and written in a court: what one is worth, and the form that the court wants it in."""
