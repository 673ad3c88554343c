"""What rooms say of themselves once a second, as it is read."""
