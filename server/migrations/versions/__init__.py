"""The steps of the schema, one after the other; a step that has been released does not change."""
