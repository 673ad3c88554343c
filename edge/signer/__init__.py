"""The room's signer: the one process that holds the device's key, and signs only what is a form of this room."""
