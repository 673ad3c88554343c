"""The people of a center: courts, persons, their posts, and the sessions in which they act."""
