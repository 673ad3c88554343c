"""How much a clerk must touch and type."""
