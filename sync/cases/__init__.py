"""Kinds of case (files that a court edits) and what a case number says."""
