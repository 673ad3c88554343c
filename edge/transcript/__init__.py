"""The words under the clerk's hands: edits, history and sound of a line."""
