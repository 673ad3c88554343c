"""What somebody sees and changes of their own account."""
