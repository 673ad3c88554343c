"""Boxes, samples and pictures: the forms in which media travels and is kept."""
