"""Which events are admitted, and what of them is shown to whom."""
