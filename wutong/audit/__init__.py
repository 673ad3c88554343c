"""The center's audit log outside of the center: what is written of it, and what is judged (docs/integrity.md)."""
