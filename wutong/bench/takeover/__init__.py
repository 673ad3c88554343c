"""How soon a killed process of a center is replaced."""
