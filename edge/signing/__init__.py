"""Who signs the transcript, and how."""
