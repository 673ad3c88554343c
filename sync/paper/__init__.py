"""What every paper of the product shares: its fonts, its characters, its rows, and the sheet they are drawn on."""
