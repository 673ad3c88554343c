"""Turns cut out of the microphones' sound: who of the seats is speaking, where a turn begins and ends, and echoes."""
