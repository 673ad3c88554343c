"""A camera: GStreamer's RTSP server with a picture that moves. Run by the system's Python, which has gi.

    /usr/bin/python3 rtsp_peer.py PORT [--user USER PASSWORD] [--picture h264|b-frames|h265|jpeg] [--keys PICTURES]

Prints `ready PORT` when it answers at rtsp://127.0.0.1:PORT/main. Ends when its stdin ends.
"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402 (the versions are asked for first)

SOURCE = "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=25/1"
ENCODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max={keys} bitrate=400 byte-stream=true"
    " ! h264parse config-interval=1 ! rtph264pay name=pay0 pt=96 config-interval=1",
    "b-frames": "x264enc speed-preset=superfast option-string=bframes=2:b-adapt=0:rc-lookahead=2:sync-lookahead=0"
    " key-int-max={keys} bitrate=400 byte-stream=true ! video/x-h264,profile=main"
    " ! h264parse config-interval=1 ! rtph264pay name=pay0 pt=96 config-interval=1",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast key-int-max={keys} bitrate=400"
    " ! h265parse config-interval=1 ! rtph265pay name=pay0 pt=96 config-interval=1",
    "jpeg": "jpegenc ! rtpjpegpay name=pay0",
}


def option(name: str, default: str) -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def main() -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    factory = GstRtspServer.RTSPMediaFactory()
    encoder = ENCODERS[option("--picture", "h264")].format(keys=option("--keys", "25"))
    factory.set_launch(f"( {SOURCE} ! {encoder} )")
    factory.set_shared(True)
    server.get_mount_points().add_factory("/main", factory)
    if "--user" in sys.argv:
        user, password = sys.argv[sys.argv.index("--user") + 1 :][:2]
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "camera")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        server.set_auth(auth)
        role = GstRtspServer.RTSPPermissions()
        role.add_permission_for_role("camera", "media.factory.access", True)
        role.add_permission_for_role("camera", "media.factory.construct", True)
        factory.set_permissions(role)
    server.attach(None)
    loop = GLib.MainLoop()

    def until_stdin_ends() -> None:
        sys.stdin.read()
        loop.quit()

    threading.Thread(target=until_stdin_ends, daemon=True).start()
    print("ready", server.get_bound_port(), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
