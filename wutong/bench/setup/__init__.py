"""How long a room takes from its code to its picture on the wall."""
