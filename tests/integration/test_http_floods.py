# SPDX-License-Identifier: MIT
"""Peers on other hosts that take connections and send nothing, or little."""

import contextlib
import ctypes
import os
import pathlib
import resource
import socket
import subprocess
import time
import unittest

from amps import Amps

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000

# Of peers elsewhere: all of this machine, but in a network of its own.
ATTACKERS = [f'198.51.100.{n}' for n in range(1, 17)]
NODE = '203.0.113.1'

HEALTH = b'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
METRICS = b'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'
HALF = b'GET /healthz HTTP/1.1\r\nHost:'
SLOW_BODY = b'GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx'

# As long as a probe of Kubernetes waits.
IN_TIME = 1


def enter_network():
    """Moves this process to a network of its own, in which there are other hosts."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNET | (CLONE_NEWUSER if user != 0 else 0)) != 0:
        raise OSError(ctypes.get_errno(), 'no network namespace: '
                      + os.strerror(ctypes.get_errno()))
    if user != 0:
        pathlib.Path('/proc/self/setgroups').write_text('deny', encoding='ascii')
        pathlib.Path('/proc/self/uid_map').write_text(f'0 {user} 1', encoding='ascii')
        pathlib.Path('/proc/self/gid_map').write_text(f'0 {group} 1', encoding='ascii')
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    for address in [*ATTACKERS, NODE]:
        subprocess.run(['ip', 'address', 'add', f'{address}/32', 'dev', 'lo'], check=True)


def connect(port, source):
    """A connection as from another host."""
    return socket.create_connection(('127.0.0.1', port), 10, source_address=(source, 0))


def exchange(connection, request=HEALTH):
    """Returns how many seconds a request took."""
    began = time.monotonic()
    connection.sendall(request)
    text = b''
    while b'\r\n\r\n' not in text or text.endswith(b'\r\n\r\n'):
        data = connection.recv(65536)
        if not data:
            raise AssertionError('not answered')
        text += data
    if b' 200 ' not in text:
        raise AssertionError(text)
    return time.monotonic() - began


def ask(port, source, request=HEALTH):
    """Returns how many seconds a request took, with a new connection."""
    began = time.monotonic()
    with connect(port, source) as connection:
        exchange(connection, request)
    return time.monotonic() - began


def is_closed(connection):
    """Whether AMPS has ended it."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b''
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


class HttpFloods(unittest.TestCase):
    """What comes over loopback is local, what comes from another address is not."""

    @classmethod
    def setUpClass(cls):
        try:
            enter_network()
        except (OSError, subprocess.CalledProcessError) as error:
            raise unittest.SkipTest(f'needs a network of its own: {error}') from error
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    @contextlib.contextmanager
    def amps(self, **settings):
        """An AMPS that answers."""
        with Amps('sqlite::memory:', 'flooded', **settings) as amps:
            yield amps.wait_listening()

    def flood(self, stack, port, n, data, sources=ATTACKERS):
        """Opens connections, one after the other from each of the sources."""
        connections = []
        for i in range(n):
            connection = stack.enter_context(connect(port, sources[i % len(sources)]))
            with contextlib.suppress(ConnectionError):
                connection.sendall(data)
            connections.append(connection)
            yield connections

    def needs_descriptors(self, n):
        """Skips where there are not so many."""
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if soft < n:
            self.skipTest(f'needs {n} descriptors, {soft} are allowed')

    def test_probes_and_workload_are_answered_in_a_flood(self):
        self.needs_descriptors(10200)
        for data in (b'', HALF, SLOW_BODY):
            with self.subTest(data=data), self.amps() as amps, contextlib.ExitStack() as stack:
                descriptors = pathlib.Path(f'/proc/{amps.process.pid}/fd')
                for connections in self.flood(stack, amps.port, 10000, data):
                    if len(connections) % 500 == 0:
                        self.assertLess(ask(amps.port, '127.0.0.1'), IN_TIME)
                        self.assertLess(ask(amps.port, NODE), IN_TIME)
                self.assertLess(len(list(descriptors.iterdir())), 1100)
                self.assertEqual(amps.post('/acknowledge', '{"identifier":"x"}').status, 404)
                self.assertEqual(amps.stop(), 0)

    def test_a_local_peer_keeps_its_connections(self):
        with self.amps() as amps, contextlib.ExitStack() as stack:
            local = [stack.enter_context(connect(amps.port, '127.0.0.1')) for _ in range(100)]
            for connection in local:
                exchange(connection)
            for _ in self.flood(stack, amps.port, 1500, HALF):
                pass
            for connection in local:
                exchange(connection)

    def test_one_address_has_a_bound(self):
        with self.amps() as amps, contextlib.ExitStack() as stack:
            node = stack.enter_context(connect(amps.port, NODE))
            exchange(node)
            connections = []
            for connections in self.flood(stack, amps.port, 600, HALF, ATTACKERS[:1]):
                pass
            ask(amps.port, '127.0.0.1')
            closed = [is_closed(connection) for connection in connections]
            self.assertEqual(closed, [True] * (600 - 256) + [False] * 256)
            exchange(node)

    def test_metrics_are_answered_in_a_flood(self):
        with self.amps() as amps, contextlib.ExitStack() as stack:
            for connections in self.flood(stack, amps.metrics_port, 500, HALF):
                if len(connections) % 100 == 0:
                    self.assertLess(ask(amps.metrics_port, '127.0.0.1', METRICS), IN_TIME)
                    self.assertLess(ask(amps.metrics_port, NODE, METRICS), IN_TIME)

    def test_a_head_that_drips_has_5_seconds(self):
        with self.amps() as amps:
            with connect(amps.port, NODE) as remote, connect(amps.port, '127.0.0.1') as local, \
                    connect(amps.port, NODE) as uploading:
                uploading.sendall(SLOW_BODY)
                began = time.monotonic()
                while not is_closed(remote):
                    for connection in (remote, local):
                        with contextlib.suppress(ConnectionError):
                            connection.send(b'G')
                    with contextlib.suppress(ConnectionError):
                        uploading.send(b'x')
                    time.sleep(0.1)
                self.assertGreater(time.monotonic() - began, 4.5)
                self.assertLess(time.monotonic() - began, 8)
                self.assertFalse(is_closed(local))
                self.assertFalse(is_closed(uploading))


if __name__ == '__main__':
    unittest.main()
