"""What a process tells those who operate it: lines of a log, ids in them, counts."""
