"""Connections and what comes over them, bounded before anybody knows who speaks."""
