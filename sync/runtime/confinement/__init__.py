"""How a process takes rights away from itself, for good, before it touches what others have made (Linux)."""
