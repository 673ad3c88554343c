"""What auditors and administrators look through: the audit log, and counts by court and day."""
