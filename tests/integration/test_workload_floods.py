# SPDX-License-Identifier: MIT
"""Workloads that never stop answering, never begin to, or never read."""

import socket
import time
import unittest

from amps import Amps
from broker import BrokerTest, event
from raw_workload import RawWorkload

OK = b'HTTP/1.1 200 OK\r\n'
CHUNKED = OK + b'Transfer-Encoding: chunked\r\n\r\n'
TEN_GIB = b'Content-Length: 10737418240\r\n\r\n'

# What a server may need for one answer while another one floods it.
MAX_DELAY = 0.5

# A connection, a body that is kept, and what the allocator keeps; KiB.
MAX_GROWTH = 40 * 1024


def read_request(connection):
    """Takes one, of a job without much data."""
    request = b''
    while b'\r\n\r\n' not in request or not request.endswith(b'}'):
        part = connection.recv(65536)
        if not part:
            raise OSError('the end')
        request += part


def flood(start, more):
    """An answer that never ends."""
    def serve(connection, _):
        read_request(connection)
        connection.sendall(start)
        while True:
            connection.sendall(more)
    return serve


class WorkloadFloods(BrokerTest):
    """The API answers meanwhile, memory has a bound, and the job has its outcome."""

    def run_job(self, serve, body=None, **settings):
        """Why AMPS rejects a job after two attempts, and the peer that it was POSTed to."""
        dead, queue = self.queue(), self.queue()
        body = body or event('a')
        with RawWorkload(serve) as peer, Amps(
                self.node.uri, queue.name, peer, DEAD_LETTER_QUEUE=dead.name, MAX_ATTEMPTS=2,
                RETRY_MIN_BACKOFF='100ms', RETRY_MAX_BACKOFF='100ms', **settings) as amps:
            amps.wait_ready()
            resident = amps.resident
            queue.publish(body)
            ready = time.monotonic() + 60
            while dead.count() == 0:
                began = time.monotonic()
                self.assertLess(began, ready, amps.log)
                self.assertEqual(amps.get('/healthz').status, 200)
                self.assertLess(time.monotonic() - began, MAX_DELAY)
                self.assertLess(amps.resident - resident, MAX_GROWTH + len(body) // 256)
                time.sleep(0.05)
            properties, dead_body = dead.take()
            self.assertEqual(dead_body, body)
            return properties.headers, peer

    def assert_lost(self, detail, serve, **settings):
        """The attempts fail at once, as if the connection had broken."""
        headers, peer = self.run_job(serve, WORKLOAD_RESPONSE_TIMEOUT='1h', JOB_TIMEOUT='1h',
                                     **settings)
        self.assertEqual(headers['x-amps-reason'], 'max-attempts')
        self.assertIn('the connection to the workload was lost: ' + detail,
                      headers['x-amps-detail'])
        self.assertEqual(peer.requests, 2)

    def test_interim_answers(self):
        for mode in ('async', 'sync'):
            self.assert_lost('more than 16 interim answers',
                             flood(b'', b'HTTP/1.1 100 Continue\r\n\r\n' * 2000),
                             WORKLOAD_MODE=mode)

    def test_heads(self):
        for start, more in ((OK, b'X: y\r\n' * 10000), (OK + b'X: ', b'x' * 100_000),
                            (b'HTTP/1.1 200 ', b'x' * 100_000)):
            self.assert_lost('Header too big', flood(start, more))

    def test_small_chunks(self):
        for chunk in (b'1\r\nx\r\n', b'1;' + b'a' * 100 + b'\r\nx\r\n'):
            self.assert_lost('its answer comes in too many small pieces',
                             flood(CHUNKED, chunk * 10000), WORKLOAD_MODE='sync')

    def test_chunk_extension_without_end(self):
        self.assert_lost('', flood(CHUNKED + b'1;', b'x' * 100_000), WORKLOAD_MODE='sync')

    def test_bodies(self):
        """Read as far as they are wanted. A sync answer is wanted as a whole."""
        for start, more in ((OK + TEN_GIB, b'x' * 1_000_000),
                            (CHUNKED, b'f4240\r\n' + b'x' * 1_000_000 + b'\r\n'),
                            (OK + b'\r\n', b'x' * 1_000_000)):
            headers, peer = self.run_job(flood(start, more), WORKLOAD_MODE='sync',
                                         MAX_BODY_SIZE='4MiB')
            self.assertEqual(headers['x-amps-reason'], 'rejected')
            self.assertIn('over MAX_BODY_SIZE', headers['x-amps-detail'])
            self.assertEqual(peer.requests, 1)
        headers, _ = self.run_job(flood(b'HTTP/1.1 400 No\r\n' + TEN_GIB, b'x' * 1_000_000))
        self.assertEqual(headers['x-amps-reason'], 'status')
        self.assertIn('400: xxx', headers['x-amps-detail'])

    def test_accepted_all_the_same(self):
        """In async mode it is the status that counts."""
        for start, more in ((OK + TEN_GIB, b'x' * 1_000_000),
                            (CHUNKED + b'0\r\n', b'X: y\r\n' * 10000),
                            (CHUNKED, b'1\r\nx\r\n' * 20000)):
            headers, _ = self.run_job(flood(start, more), JOB_TIMEOUT='1s',
                                      WORKLOAD_RESPONSE_TIMEOUT='1h')
            self.assertEqual(headers['x-amps-reason'], 'expired')
            self.assertIn('no outcome came in time', headers['x-amps-detail'])

    def assert_timed_out(self, serve, **settings):
        """Each attempt has its time, and no more."""
        began = time.monotonic()
        headers, peer = self.run_job(serve, WORKLOAD_RESPONSE_TIMEOUT='1s', **settings)
        self.assertIn('did not answer in time', headers['x-amps-detail'])
        self.assertEqual(peer.requests, 2)
        self.assertGreater(time.monotonic() - began, 2)

    def test_drips(self):
        """A byte now and then is no answer, neither in the head nor in the body."""
        for start in (OK + b'X: ', b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'):
            def drip(connection, _, start=start):
                read_request(connection)
                connection.sendall(start)
                while True:
                    connection.sendall(b'x')
                    time.sleep(0.02)

            self.assert_timed_out(drip)

    def test_never_reads(self):
        """The event is larger than what the kernel takes."""
        self.assert_timed_out(lambda *_: time.sleep(60), body=event('a', data='x' * 12_000_000))

    def test_never_answers(self):
        """One whose end is not known, after it has worked: the next attempt has another one."""
        def serve(connection, _):
            read_request(connection)
            time.sleep(60)

        self.assert_timed_out(serve)

    def test_half_closed(self):
        """That it will send no more is no answer, however much it has sent."""
        for answer in (b'', b'HTTP/1.1 2', b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf',
                       b'HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nhalf',
                       CHUNKED + b'4\r\nhalf'):
            def serve(connection, _, answer=answer):
                read_request(connection)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                time.sleep(60)

            self.assert_lost('', serve, WORKLOAD_MODE='sync')

    def test_answers_and_reads_no_more(self):
        """The half of the connection that AMPS writes to is shut: the answer counts."""
        def serve(connection, _):
            read_request(connection)
            connection.shutdown(socket.SHUT_RD)
            connection.sendall(b'HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n')
            time.sleep(60)

        headers, _ = self.run_job(serve)
        self.assertIn('the workload answered 422', headers['x-amps-detail'])


if __name__ == '__main__':
    unittest.main()
