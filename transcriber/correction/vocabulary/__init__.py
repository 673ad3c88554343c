"""What a court and a case call things, and how words that were heard wrongly are found and put right by their sound."""
