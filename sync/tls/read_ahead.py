"""A TLS connection that is read a record at a time, for who asks for a byte at a time.

paho asks a connection for one byte to learn what follows, for another to learn how long it is, and so on. Of TLS each
of these is a call into OpenSSL that lets go of the interpreter's lock and has to wait for it again, behind a loop
that is busy. Here the first of them takes what there is, and the others are answered from that.
"""

from __future__ import annotations

import ssl

READ_BYTES = 64 * 1024
"""OpenSSL gives a record at a time, of at most 16 KiB."""


class ReadAheadSocket(ssl.SSLSocket):
    """For `SSLContext.sslsocket_class`; only `recv` reads ahead, and of one thread."""

    _ahead = b""
    _at = 0

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """At most `buflen` bytes; none when the other end has ended. Errors are those of `ssl.SSLSocket`."""
        if self._at >= len(self._ahead):
            data = super().recv(max(buflen, READ_BYTES), flags)
            if len(data) <= buflen:
                return data
            self._ahead, self._at = data, 0
        taken = self._ahead[self._at : self._at + buflen]
        self._at += len(taken)
        return taken

    def pending(self) -> int:
        """How many bytes can be had without the network."""
        return len(self._ahead) - self._at + super().pending()
