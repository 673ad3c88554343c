"""What the clerk does with a hearing: open, pause, close, present, mark."""
