"""Where speech begins and ends, and who of the seats is speaking."""
