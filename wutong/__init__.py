"""The `wutong` command: it starts the parts, and measures them. Nothing imports this package."""
