"""Browsers other than the newest Chromium."""
