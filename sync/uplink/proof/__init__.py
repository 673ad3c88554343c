"""What others say of the record: the countersignatures of the center, the tokens of a time-stamp authority."""
