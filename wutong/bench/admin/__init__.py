"""What the pages of administration take with a province in the database."""
