"""Services whose time the test tells."""
