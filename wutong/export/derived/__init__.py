"""What of an export is made from its leaves alone: the exporter writes it, the verifier makes it again and compares."""
