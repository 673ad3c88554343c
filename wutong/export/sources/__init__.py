"""Where an export comes from: the data folder of a room, or the record store of a center."""
