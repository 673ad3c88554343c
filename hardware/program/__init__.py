"""The program track (合成画面): cameras and exhibit composed into one 1080p picture, with case, court and time."""
