"""Who may use which route, from where, and what is told of every request."""
