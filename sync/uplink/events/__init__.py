"""Events on their way to the center, until its receipt."""
