"""What the live sound and pictures look like while they are recorded."""
