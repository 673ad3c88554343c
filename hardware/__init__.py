"""What is plugged in: courtroom profiles, drivers, simulators."""
