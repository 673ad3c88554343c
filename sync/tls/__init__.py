"""TLS of rooms, center and broker: names, keys, certificates and the contexts that use them (docs/authority.md)."""
