"""The simulated rooms of `wutong bench center`: a hearing that the parts of the product replay."""
