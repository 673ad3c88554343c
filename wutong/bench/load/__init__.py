"""Other programs that keep a machine busy: its processors, its disk, its memory. Ours, small, and gone when asked."""
