"""What inspectors are told of the court as a whole."""
