"""How a person comes in: the steps of signing in, their account, and what administrators do for them."""
