"""A connection that is read a piece at a time, for who asks for a byte at a time: a record of TLS, or what has come.

paho asks a connection for one byte to learn what follows, for another to learn how long it is, and so on. Each of
these is a call into OpenSSL, or the kernel, that lets go of the interpreter's lock and has to wait for it again, behind
whatever computes. Here the first of them takes what there is, and the others are answered from that.
"""

from __future__ import annotations

import socket
import ssl

READ_BYTES = 64 * 1024
"""OpenSSL gives a record at a time, of at most 16 KiB."""


class _ReadAhead:
    """Stands before the class of a socket; only `recv` reads ahead, and of one thread."""

    _ahead = b""
    _at = 0

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """At most `buflen` bytes; none when the other end has ended. Errors are those of the socket."""
        if self._at >= len(self._ahead):
            data: bytes = super().recv(max(buflen, READ_BYTES), flags)  # type: ignore[misc]  # of the class behind this
            if len(data) <= buflen:
                return data
            self._ahead, self._at = data, 0
        taken = self._ahead[self._at : self._at + buflen]
        self._at += len(taken)
        return taken


class ReadAheadSocket(_ReadAhead, ssl.SSLSocket):
    """For `SSLContext.sslsocket_class`."""

    def pending(self) -> int:
        """How many bytes can be had without the network."""
        return len(self._ahead) - self._at + super().pending()


class PlainReadAheadSocket(_ReadAhead, socket.socket):
    """Of a connection without TLS."""
