"""The files of the record by their content: in a folder of this machine, or in a bucket of an S3-compatible store."""
