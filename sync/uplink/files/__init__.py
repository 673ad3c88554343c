"""Files on their way to the center: what must be sent, by pieces or by tus, and whose word says that it is stored."""
