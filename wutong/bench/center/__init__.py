"""`wutong bench center`: what rooms and inspectors cost their center, and how late what they say and see is."""
