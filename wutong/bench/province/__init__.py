"""A province of rooms that say little: what so many connections, statuses and events cost a center that is real."""
