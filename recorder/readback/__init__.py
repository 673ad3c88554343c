"""Closed files are decoded again and compared with what was seen and heard live."""
