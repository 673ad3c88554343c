"""Words of hearings, and texts of configuration."""
