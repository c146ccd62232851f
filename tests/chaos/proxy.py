# SPDX-License-Identifier: MIT
"""A TCP proxy on loopback that can be told to misbehave."""

import socket
import threading


class Proxy:
    """Passes connections on to a port, until told otherwise."""

    def __init__(self, target_port):
        self._target_port = target_port
        self._flowing = threading.Event()
        self._flowing.set()
        self._sockets = set()
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Breaks all connections."""
        for one in list(self._sockets):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stall(self):
        """Passes on nothing, and tells nobody."""
        self._flowing.clear()

    def resume(self):
        """Passes on all that has waited."""
        self._flowing.set()

    def _accept(self):
        while True:
            near, _ = self._listener.accept()
            try:
                far = socket.create_connection(('127.0.0.1', self._target_port))
            except OSError:
                near.close()
                continue
            self._sockets |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source, sink):
        try:
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self._sockets.discard(one)
