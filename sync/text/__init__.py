"""What text is: the characters that a field or a line of words may hold, names, numbers of cases, and what is equal."""
