"""`wutong demo`: a broker, the center and one or more courtrooms on this machine, playing a hearing by themselves.

Nothing here is special to the demo but the devices (simulated) and that one program starts the services, which systemd
does in a court. The hearing is conducted through the same HTTP API that the panel uses.
"""
