"""What stands at the other end of a wire."""
