"""What every process needs: life and end of a service, files that survive, secrets, digests."""
