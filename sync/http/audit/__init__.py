"""The lines of an audit: one for a stretch, a count for many refusals, written behind whoever made them."""
