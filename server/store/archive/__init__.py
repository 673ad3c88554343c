"""The archive as it is asked for: lists of hearings and words by pages, each answer of bounded work."""
