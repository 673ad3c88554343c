"""The history of the database's schema; run at start by `server.store.database`."""
