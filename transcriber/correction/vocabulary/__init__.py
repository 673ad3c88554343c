"""What a court and a case call things, and how words that only sound like it are found and put right."""
