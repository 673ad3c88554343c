"""Figures that are measured through the real parts."""
