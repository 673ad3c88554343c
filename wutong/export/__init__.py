"""A hearing as a folder that anybody can keep, play and verify without a server (docs/integrity.md)."""
