"""What is plugged in: courtroom profiles, drivers for microphones and cameras, and simulated ones alike."""
