"""Words after recognition: what only sounds alike is corrected, visibly."""
