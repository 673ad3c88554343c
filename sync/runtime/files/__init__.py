"""Files: replaced as a whole, written by people, secret, or in the folder of another account; their check values."""
