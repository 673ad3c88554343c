"""The ledger of a hearing: leaves, the tree over them, signed checkpoints, keys and seals (docs/integrity.md).

Everything here is a pure function of bytes, or a file of a key; nothing knows a network, a clock or a database.
"""
