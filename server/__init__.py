"""The center: ingest, record store, receipts, live gateway, inspection, archive, people and rights."""
