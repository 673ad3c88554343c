"""`wutong bench attack`: what hostile clients cost an honest room."""
