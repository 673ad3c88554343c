"""What keeping media costs."""
