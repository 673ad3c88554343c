"""Sources -> fragments -> segments; gaps and clocks. Nothing here needs the network."""
