"""The court's TLS authority at the center: certificates of servers and rooms, and what takes them away again."""
