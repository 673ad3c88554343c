"""What the services of one room share: its log, feeds, clock and folders."""
