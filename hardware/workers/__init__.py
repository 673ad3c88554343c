"""The processes that hold a device and write fragments."""
