"""Private keys in files, and what keys and certificates of others make of the library."""
