"""The record of a hearing: its events, and the fold of them into what people see."""
