# SPDX-License-Identifier: MIT
"""AMPS holds no more bytes of jobs than MAX_IN_FLIGHT_BYTES, whatever is in the queue."""

import gzip
import os
import pathlib
import threading
import time
import unittest

from amps import Amps, wait_until
from broker import EMBEDDED, BrokerTest, QUEUE_TYPES, amqp_only, event
from workload import Workload, acknowledge

MIB = 1024 * 1024

# The long form: AMPS_TEST_LARGE_EVENTS=1000 AMPS_TEST_LARGE_SIZE=8
COUNT = int(os.environ.get('AMPS_TEST_LARGE_EVENTS', '40'))
SIZE = int(os.environ.get('AMPS_TEST_LARGE_SIZE', '2')) * MIB
BUDGET = 8 * SIZE

# What AMPS has beside the jobs: measured are 15 MiB. SQLite holds the one that is claimed
# several times.
OVERHEAD = 32 * MIB + (5 * SIZE if EMBEDDED else 0)


def get_peak(amps):
    """The most bytes that were ever resident."""
    status = pathlib.Path(f'/proc/{amps.process.pid}/status').read_text(encoding='ascii')
    return next(int(line.split()[1]) for line in status.splitlines()
                if line.startswith('VmHWM')) * 1024


class SlowWorkload(Workload):
    """Accepts each job, and finishes it some time later; keeps no body."""

    def __init__(self, seconds):
        self.done = set()
        self.seconds = seconds
        super().__init__(self.accept)

    def accept(self, post):
        """Answers 202 and finishes the job later."""
        identifier = post.id
        post.body = f'{{"id": "{identifier}"}}'
        threading.Timer(self.seconds, self.finish, (post, identifier)).start()
        return 202

    def finish(self, post, identifier):
        """The end of the job."""
        if post.acknowledge() == 202:
            self.done.add(identifier)


def fill(queue, bodies):
    """Publishes one by one: all of them at once are too much for the test."""
    for body in bodies:
        queue.publish(body)


@unittest.skipIf('AMPS_TEST_MAX_BODY' in os.environ, 'a sanitizer does not see large events')
class MemoryTest(BrokerTest):
    """Many large events."""

    def start(self, queue, workload, **settings):
        """An AMPS that could have far more jobs than there is memory for."""
        # A claim writes the body anew, which may take longer than the short leases of tests.
        return Amps(self.node.uri.replace('lease=2s', 'lease=1m'), queue.name, workload, **{
            'MAX_CONCURRENCY': 100, 'MAX_IN_FLIGHT_BYTES': BUDGET, 'DEBUG': 'false', **settings})

    def assert_bounded(self, amps):
        """What AMPS had was within what is promised."""
        self.assertLess(get_peak(amps), BUDGET + OVERHEAD)

    def is_full(self, amps):
        """Whether it says that it takes no more for now."""
        return amps.metric('amps_consumer_paused{reason="memory"}') == 1

    def test_many_large_events(self):
        """All are delivered, once, by a process that may have no more memory than that."""
        for queue_type in QUEUE_TYPES:
            with self.subTest(queue_type):
                queue = self.queue(queue_type)
                fill(queue, (event(i, data='x' * (SIZE - 200)) for i in range(COUNT)))
                limit = ('prlimit', f'--data={BUDGET + 4 * OVERHEAD}')
                with SlowWorkload(0.5) as workload, \
                        self.start(queue, workload, command=limit) as amps:
                    wait_until(lambda: self.is_full(amps), what='the pause')
                    self.assertEqual(amps.get('/readyz').status, 200)
                    wait_until(lambda: len(workload.done) == COUNT, COUNT, 'the end of all jobs')
                    self.assertEqual(len(workload.posts), COUNT)
                    self.assertEqual(amps.metric('amps_broker_reconnects_total'), 0)
                    wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0)
                    self.assertFalse(self.is_full(amps))
                    self.assert_bounded(amps)
                    self.assertEqual(amps.stop(), 0)
                self.assertEqual(queue.count(), 0)

    def test_jobs_that_take_long(self):
        """Nothing is lost, or counted as failed, while there is no room for long: RabbitMQ ends a
        connection that takes nothing for 30 s. What is not taken is there for others."""
        queue = self.queue()
        fill(queue, (event(i, data='x' * (SIZE - 200)) for i in range(24)))
        with SlowWorkload(40) as workload, self.start(queue, workload) as amps:
            workload.wait(8)
            queue.wait_count(24 - 8, 30)
            self.assertTrue(self.is_full(amps))
            with self.start(queue, workload) as other:
                workload.wait(16, 30)
                self.assert_bounded(other)
                wait_until(lambda: len(workload.done) == 24, 120, 'the end of all jobs')
                self.assertEqual(len(workload.posts), 24)
                self.assertEqual(amps.metric('amps_broker_reconnects_total'), 0)
                self.assert_bounded(amps)
                self.assertEqual(other.stop(), 0)
            self.assertEqual(amps.stop(), 0)

    def test_one_larger_than_all(self):
        """It goes alone, and those behind it go then."""
        queue = self.queue()
        fill(queue, [event(0), event(1, data='x' * 2 * MIB), event(2), event(3)])
        with Workload(acknowledge) as workload, \
                self.start(queue, workload, MAX_IN_FLIGHT_BYTES=MIB) as amps:
            self.assertEqual(sorted(post.id for post in workload.wait(4)), ['0', '1', '2', '3'])
            wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0)
            self.assertEqual(amps.stop(), 0)

    def test_stops_while_full(self):
        """What runs is waited for, what waits elsewhere is not read, and both end well."""
        queue = self.queue()
        fill(queue, (event(i, data='x' * (SIZE - 200)) for i in range(24)))
        with SlowWorkload(2) as workload, self.start(queue, workload) as amps:
            workload.wait(8)
            wait_until(lambda: self.is_full(amps))
            self.assertEqual(amps.stop(timeout=20), 0)
            self.assertEqual(len(workload.done), len(workload.posts))
            queue.wait_count(24 - len(workload.posts))

    def test_pauses_while_full(self):
        """A pause, and its end, wait for nothing."""
        queue = self.queue()
        fill(queue, (event(i, data='x' * (SIZE - 200)) for i in range(24)))
        with SlowWorkload(3) as workload, self.start(queue, workload) as amps:
            workload.wait(8)
            wait_until(lambda: self.is_full(amps))
            self.assertEqual(amps.post('/pause').status, 200)
            self.assertIn('MAX_IN_FLIGHT_BYTES', amps.get('/readyz').json['details'])
            self.assertEqual(amps.post('/resume').status, 200)
            wait_until(lambda: len(workload.done) == 24, 60, 'the end of all jobs')
            self.assertEqual(len(workload.posts), 24)
            self.assert_bounded(amps)

    @amqp_only
    def test_packed_events(self):
        """Each is small in the queue, and large here."""
        queue = self.queue()
        for i in range(40):
            queue.publish(gzip.compress(event(i, data='x' * (SIZE - 200))),
                          content_encoding='gzip')
        with SlowWorkload(0.5) as workload, self.start(queue, workload) as amps:
            wait_until(lambda: len(workload.done) == 40, 60, 'the end of all jobs')
            self.assertEqual(len(workload.posts), 40)
            # One may be unpacked in each of two threads while the last one fits.
            self.assertLess(get_peak(amps), BUDGET + OVERHEAD + 2 * SIZE)

    @amqp_only
    def test_binary_events(self):
        """The event that is made of it is held as well as what came."""
        queue = self.queue()
        data = os.urandom(SIZE // 2)
        for i in range(24):
            queue.publish(data, {'ce-specversion': '1.0', 'ce-id': str(i), 'ce-source': '/test',
                                 'ce-type': 'test'}, content_type='image/png')
        with SlowWorkload(0.5) as workload, self.start(queue, workload) as amps:
            wait_until(lambda: len(workload.done) == 24, 60, 'the end of all jobs')
            self.assertEqual(len(workload.posts), 24)
            self.assert_bounded(amps)

    @amqp_only
    def test_lost_connection_while_full(self):
        """What runs is held beside what comes again, and all of it within the bound."""
        queue = self.queue()
        fill(queue, (event(i, data='x' * (SIZE - 200)) for i in range(24)))
        with SlowWorkload(8) as workload, self.start(queue, workload) as amps:
            workload.wait(8)
            wait_until(lambda: self.is_full(amps))
            self.node.control('close_all_connections', 'test')
            wait_until(lambda: amps.metric('amps_broker_reconnects_total') >= 1, 30)
            wait_until(lambda: len(workload.done) == 24, 90, 'the end of all jobs')
            self.assert_bounded(amps)
            self.assertEqual(len(workload.posts), 24)
            wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0)
            self.assertEqual(amps.stop(), 0)
        self.assertEqual(queue.count(), 0)


if __name__ == '__main__':
    unittest.main()
