"""`wutong doctor`: what this machine has, what a profile asks for, and what to do where the two do not meet."""

from wutong.doctor.command import examine, run

__all__ = ["examine", "run"]
