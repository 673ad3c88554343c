"""What is to be kept, and the files in which it is kept."""
