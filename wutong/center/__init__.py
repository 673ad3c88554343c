"""What an administrator does to a center that stands still: `wutong center …`."""
