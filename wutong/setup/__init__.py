"""`wutong room setup`: from a machine without a profile to a courtroom that stands on the center's wall."""
