"""Bytes of rooms that grow into objects: by pieces of many files, or by tus."""
