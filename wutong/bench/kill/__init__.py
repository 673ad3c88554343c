"""`wutong bench kill`: SIGKILL at random moments, on a quiet machine or a busy one."""
