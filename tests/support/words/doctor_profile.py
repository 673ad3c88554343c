"""The profile of a room that the doctor looks at."""

from __future__ import annotations

PROFILE = """
[room]
court = "jianshan"
room = "3"
court_name = "尖山区人民法院"
room_name = "第三法庭"
[[seats]]
id = "judge"
roles = ["审判长"]
channel = 0
[microphones]
driver = "{mics}"
device = "Dante"
channels = 2
[[cameras]]
id = "bench"
name = "审判席"
{camera}
[storage]
data = "data"
reserve_gib = {reserve}
[transcriber]
engine = "off"
"""
