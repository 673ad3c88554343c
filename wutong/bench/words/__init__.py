"""`wutong bench words`: whether everything that is said has a line, over a hearing, lists and numbers."""
