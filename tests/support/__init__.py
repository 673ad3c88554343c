"""What tests share: rooms and peers that run for real, clocks that are told the time, and files that are made."""
