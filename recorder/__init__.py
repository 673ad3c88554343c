"""The recorder of a room: from the sources over fragments to segments, with gaps and clocks, without the network."""
