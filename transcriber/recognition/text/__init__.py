"""What an engine heard, made fit for the record: nothing invented, one language, every character with its time."""
