"""The test record that is made before a hearing, and what it proves."""
