"""What a room and its center say to each other, signed: the envelope, and what stands in it."""
