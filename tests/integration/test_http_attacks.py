# SPDX-License-Identifier: MIT
"""Peers that send what is no HTTP, hide requests in requests, or never end."""

import contextlib
import gzip
import re
import socket
import unittest

from amps import Amps, wait_until

HOST = b'Host: localhost\r\n'
HEALTH = b'GET /healthz HTTP/1.1\r\n' + HOST + b'\r\n'
DRAIN = b'POST /drain HTTP/1.1\r\n' + HOST + b'Content-Length: 0\r\n\r\n'
POST = b'POST /acknowledge HTTP/1.1\r\n' + HOST
CHUNKED = POST + b'Transfer-Encoding: chunked\r\n\r\n'
UNKNOWN_JOB = b'{"identifier":"x"}'
SIZED = POST + b'Content-Length: %d\r\n\r\n' % len(UNKNOWN_JOB) + UNKNOWN_JOB

# What is sent at once, and the statuses of the answers. After one of REFUSED nothing
# more is answered. A POST that AMPS reads gets 404: there is no such job.
REQUESTS = [
    (HEALTH + SIZED + HEALTH, [200, 404, 200]),
    (HEALTH * 50, [200] * 50),
    (b'\r\n' + HEALTH + b'\r\n' + HEALTH, [200, 200]),
    (CHUNKED + b'12\r\n' + UNKNOWN_JOB + b'\r\n0\r\n\r\n' + HEALTH, [404, 200]),
    (CHUNKED + b'2;x=y\r\n{"\r\n10\r\nidentifier":"x"}\r\n00\r\n\r\n' + HEALTH, [404, 200]),
    (CHUNKED + b'12\r\n' + UNKNOWN_JOB + b'\r\n0\r\nA: b\r\nC: d\r\n\r\n' + HEALTH, [404, 200]),
    (b'GET http://x/healthz HTTP/1.1\r\n' + HOST + b'\r\n', [200]),
    (b'GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', [200]),
    (b'GET /healthz HTTP/1.0\r\n\r\n' + DRAIN, [200]),
    (b'GET /healthz HTTP/1.1\r\nConnection: close\r\n' + HOST + b'\r\n' + DRAIN, [200]),
    (b'DELETE /acknowledge HTTP/1.1\r\n' + HOST + b'\r\n' + HEALTH, [405, 200]),

    # Two lengths, or none that is clear.
    (POST + b'Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n' + DRAIN, [400]),
    (POST + b'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n' + DRAIN, [400]),
    (POST + b'Content-Length: 0\r\nContent-Length: %d\r\n\r\n' % len(DRAIN) + DRAIN, [400]),
    (POST + b'Content-Length: 0, 0\r\n\r\n' + DRAIN, [400]),
    (POST + b'Content-Length: -1\r\n\r\n' + DRAIN, [400]),
    (POST + b'Content-Length: 0x2\r\n\r\nhi' + DRAIN, [400]),
    (POST + b'Content-Length : 0\r\n\r\n' + DRAIN, [400]),
    (POST + b'Content-Length:\r\n 0\r\n\r\n' + DRAIN, [400]),
    (POST + b'Content-Length: 99999999999999999999\r\n\r\n' + DRAIN, [413]),
    (POST + b'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n' + DRAIN, [501]),
    (POST + b'Transfer-Encoding: identity\r\n\r\n' + DRAIN, [501]),
    (POST + b'Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n' + DRAIN, [400]),
    (b'POST /acknowledge HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' + DRAIN, [400]),
    (b'POST /acknowledge HTTP/1.0\r\nConnection: content-length\r\nContent-Length: %d\r\n\r\n'
     % len(DRAIN) + DRAIN, [400]),

    # Chunks that are none: libsoup 3.2 takes what follows for a request.
    (CHUNKED + b'zz\r\n' + DRAIN, [400]),
    (CHUNKED + b'-2\r\n' + DRAIN, [400]),
    (CHUNKED + b'0x2\r\nhi\r\n0\r\n\r\n' + DRAIN, [400]),
    (CHUNKED + b'ffffffffffffffff1\r\n' + DRAIN, [413]),
    (CHUNKED + b'7fffffffffffffff\r\n' + DRAIN, [413]),
    (CHUNKED + b'2\r\nabc\r\n0\r\n\r\n' + DRAIN, [400]),
    (CHUNKED + b'2\nab\n0\n\n' + DRAIN, [400]),
    (CHUNKED + b'0;' + b'x' * 200 + b'\r\n\r\n' + DRAIN, [400]),
    (CHUNKED + b'0\r\n' + DRAIN, [400]),
    (CHUNKED + b'0\r\nX: ' + b'x' * 5000 + b'\r\n\r\n' + DRAIN, [431]),

    # Heads that readers take apart differently.
    (HEALTH + b'GET /healthz HTTP/1.1\n' + HOST + b'\n' + DRAIN, [200, 400]),
    (b'GET /healthz HTTP/1.1\r\nHost: x\rX: y\r\n\r\n' + DRAIN, [400]),
    (b'GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n' + DRAIN, [400]),
    (b'GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n' + DRAIN, [400]),
    (b'GET /healthz HTTP/1.1\r\n\r\n' + DRAIN, [400]),
    (b'GET /healthz HTTP/1.1\r\n' + HOST + b'Host: y\r\n\r\n' + DRAIN, [400]),
    (b'GET  /healthz HTTP/1.1\r\n' + HOST + b'\r\n' + DRAIN, [400]),
    (b'GET /healthz HTTP/1.1 \r\n' + HOST + b'\r\n' + DRAIN, [400]),
    (b'GET /healthz\r\n\r\n' + DRAIN, [400]),
    (b'GET /healthz HTTP/1.2\r\n' + HOST + b'\r\n' + DRAIN, [505]),
    (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [505]),
    (b'BREW /healthz HTTP/1.1\r\n' + HOST + b'\r\n' + DRAIN, [501]),
    (b'CONNECT x:1 HTTP/1.1\r\n' + HOST + b'\r\n' + DRAIN, [501]),
    (POST + b'Expect: wonders\r\nContent-Length: 0\r\n\r\n' + DRAIN, [417]),
    (b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', [400]),
    (b'GET /' + b'a' * 60000 + b' HTTP/1.1\r\n' + HOST + b'\r\n', [414]),
    (b'GET /healthz HTTP/1.1\r\n' + HOST + b'X: ' + b'a' * 40000 + b'\r\n\r\n', [431]),
    (b'GET /healthz HTTP/1.1\r\n' + HOST + b'X: a\r\n' * 256 + b'\r\n', [431]),
]
REFUSED = (400, 413, 414, 417, 431, 501, 505)


class Peer:
    """A connection that reads nothing into what it sends."""

    def __init__(self, port, host='127.0.0.1'):
        self.socket = socket.create_connection((host, port), timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends as much as is taken."""
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)

    def answers(self, more):
        """The heads and bodies up to the end, or as many as are said."""
        text, answers = b'', []
        while more > 0:
            head, blank, rest = text.partition(b'\r\n\r\n')
            length = re.search(rb'\r\nContent-Length: (\d+)', head)
            size = int(length.group(1)) if length else 0
            if blank and len(rest) >= size:
                answers.append((head, rest[:size]))
                text = rest[size:]
                more -= 1
                continue
            data = self.socket.recv(65536)
            if not data:
                break
            text += data
        return answers

    def is_at_end(self):
        """Whether the connection ends without another byte."""
        return self.socket.recv(1) == b''


class HttpAttacks(unittest.TestCase):
    """Against an AMPS with an embedded broker; nothing here is about jobs."""

    @contextlib.contextmanager
    def amps(self, **settings):
        """An AMPS that answers."""
        with Amps('sqlite::memory:', 'attacked', **settings) as amps:
            yield amps.wait_listening()

    def assert_answers(self, peer, statuses):
        """Each request was answered in its order, and none that was hidden."""
        answers = peer.answers(len(statuses))
        self.assertEqual([int(head.split()[1]) for head, _ in answers], statuses)
        head, body = answers[-1]
        if statuses[-1] in REFUSED:
            self.assertIn(b'application/problem+json', head)
            self.assertIn(b'Connection: close', head)
            self.assertIn(b'"detail":', body)
            self.assertTrue(peer.is_at_end())

    def test_each_request_is_read_in_one_way_only(self):
        with self.amps() as amps:
            for request, statuses in REQUESTS:
                with self.subTest(request=request[:200]), Peer(amps.port) as peer:
                    peer.send(request)
                    self.assert_answers(peer, statuses)
            self.assertNotIn('Draining', amps.log)
            self.assertEqual(amps.stop(), 0)

    def test_pieces_make_no_difference(self):
        with self.amps() as amps:
            for request, statuses in REQUESTS:
                if len(request) > 1000:
                    continue
                with self.subTest(request=request), Peer(amps.port) as peer:
                    peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for at in range(len(request)):
                        peer.send(request[at:at + 1])
                    self.assert_answers(peer, statuses)

    def test_what_is_refused_takes_no_memory(self):
        with self.amps() as amps:
            before = amps.resident
            for field in (b'Transfer-Encoding: gzip', b'Content-Length: 0x2'):
                for _ in range(500):
                    with Peer(amps.port) as peer:
                        peer.send(b'GET /' + b'a' * 30000 + b' HTTP/1.1\r\n' + HOST
                                  + field + b'\r\n\r\n')
                        peer.answers(1)
            self.assertLess(amps.resident - before, 8 * 1024)

    def test_large_bodies_share_what_memory_they_may_take(self):
        size, headers = 16 * 1024 * 1024, b'POST /publish HTTP/1.1\r\n' + HOST
        with self.amps() as amps, contextlib.ExitStack() as stack:
            before = amps.resident
            peers = [stack.enter_context(Peer(amps.port)) for _ in range(16)]
            for peer in peers:
                peer.send(headers + b'Content-Length: %d\r\n\r\n' % size)
            part = b'x' * (1024 * 1024 - 1)
            for _ in range(size // (1024 * 1024)):
                for peer in peers:
                    peer.send(part)
            self.assertLess(amps.resident - before, 100 * 1024)

            # What is small is served all the while, in chunks too.
            with Peer(amps.port) as other:
                other.send(CHUNKED + b'12\r\n' + UNKNOWN_JOB + b'\r\n0\r\n\r\n')
                self.assert_answers(other, [404])

            statuses = []
            for peer in peers:
                peer.send(b'x' * (size // (1024 * 1024)))
                for head, _ in peer.answers(1):
                    statuses.append(int(head.split()[1]))
                    self.assertEqual(b'Retry-After: ' in head, statuses[-1] == 503)
            self.assertGreaterEqual(statuses.count(400), 4)
            self.assertEqual(set(statuses), {400, 503})
            self.assertEqual(amps.stop(), 0)

    def test_what_is_unpacked_counts_as_much_as_what_comes(self):
        packed = gzip.compress(b'x' * (4 * 1024 * 1024))
        gzipped = (b'POST /publish HTTP/1.1\r\nContent-Encoding: gzip\r\n' + HOST
                   + b'Content-Length: %d\r\n\r\n' % len(packed) + packed)
        size = 16 * 1024 * 1024
        with self.amps() as amps, Peer(amps.port) as peer:
            with contextlib.ExitStack() as stack:
                for _ in range(4):
                    other = stack.enter_context(Peer(amps.port))
                    other.send(POST + b'Content-Length: %d\r\n\r\n' % size)
                    other.send(b'x' * (size - 1))
                wait_until(lambda: amps.resident > 60 * 1024, what='the bodies being there')
                peer.send(gzipped)
                (head, body), = peer.answers(1)
                self.assertIn(b' 503 ', head)
                self.assertIn(b'Retry-After: ', head)
                self.assertIn(b'Too much at once', body)

            def is_read():
                peer.send(gzipped)
                return b' 400 ' in peer.answers(1)[0][0]

            wait_until(is_read, what='the memory being given back')

    def test_what_is_only_announced_takes_no_memory(self):
        with self.amps(command=['prlimit', f'--as={400 << 20}']) as amps, \
                contextlib.ExitStack() as stack:
            for _ in range(60):
                peer = stack.enter_context(Peer(amps.port))
                peer.send(POST + b'Content-Length: 16000000\r\n\r\nx')
            self.assertEqual(amps.get('/healthz').status, 200)
            self.assertEqual(amps.stop(), 0)


if __name__ == '__main__':
    unittest.main()
