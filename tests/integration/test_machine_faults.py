# SPDX-License-Identifier: MIT
"""What a machine does on a bad day: no descriptors, no names, another time, no processor."""

import datetime
import errno
import http.client
import os
import pathlib
import signal
import tempfile
import time
import unittest

from amps import Amps, wait_until
from broker import EMBEDDED, BrokerTest, amqp_only, event
from name_server import NameServer
from workload import Workload, acknowledge

# The long form, of the suite “slow”, has 90.
SUSPENDED = int(os.environ.get('AMPS_TEST_SUSPENDED', '5'))
DAY = 86400


class Connection(http.client.HTTPConnection):
    """One that stays open."""

    def __init__(self, port):
        super().__init__('127.0.0.1', port, timeout=10)

    def get(self, path):
        """The status of a GET."""
        self.request('GET', path)
        response = self.getresponse()
        response.read()
        return response.status


class MachineTest(BrokerTest):
    """A test that breaks what AMPS runs on."""

    def preload(self, name):
        """What makes the system lie to AMPS, and what says how."""
        if not os.environ.get(name):
            self.skipTest('a sanitizer must be loaded first')
        folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name, 'fault')
        path.write_text('', encoding='ascii')

        def change(text):
            path.with_suffix('.new').write_text(str(text), encoding='ascii')
            path.with_suffix('.new').rename(path)
        return {'LD_PRELOAD': os.environ[name], name: str(path)}, change

    def assert_alive(self, amps, seconds=1):
        """The main loop answers at once, all that time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            begun = time.monotonic()
            self.assertEqual(amps.get('/healthz').status, 200)
            self.assertLess(time.monotonic() - begun, 1)
            time.sleep(0.05)

    def assert_idle(self, amps, seconds=2):
        """It does not spin."""
        before = amps.cpu_time
        time.sleep(seconds)
        self.assertLess(amps.cpu_time - before, 0.1 * seconds)


class DescriptorsTest(MachineTest):
    """No descriptor is left, in the process or in the system; or no memory for a socket."""

    def test_none_in_the_process(self):
        """EMFILE: what is open goes on, and the rest does when there are some again."""
        queue = self.queue()
        with Workload(acknowledge) as workload, \
                Amps(self.node.uri, queue.name, workload,
                     command=('prlimit', '--nofile=64')).wait_ready() as amps:
            open_before = Connection(amps.port)
            self.assertEqual(open_before.get('/healthz'), 200)
            others = [Connection(amps.port) for _ in range(100)]
            for other in others:
                other.connect()
            amps.wait_log('oo many open files')
            self.assert_idle(amps)
            for i in range(5):
                queue.publish(event(i))
            time.sleep(2)
            self.assertEqual(open_before.get('/healthz'), 200)
            self.assertEqual(amps.log.count('Cannot accept connections'), 1)

            for other in others:
                other.close()
            self.assertEqual(sorted({post.id for post in workload.wait(5)}), list('01234'))
            wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0)
            self.assertEqual(amps.get('/healthz').status, 200)
            self.assertEqual(amps.stop(), 0)
        self.assertEqual(queue.count(), 0)

    def check_fault(self, code, calls):
        """These calls fail for some time, and then no more."""
        settings, change = self.preload('SYSTEM_FAULTS')
        queue = self.queue()
        with Workload(acknowledge) as workload, \
                Amps(self.node.uri, queue.name, workload, **settings).wait_ready() as amps:
            queue.publish(event('before'))
            workload.wait(1)
            open_before = Connection(amps.port)
            self.assertEqual(open_before.get('/healthz'), 200)
            change(f'{code} {calls}')
            workload.stop()
            for i in range(5):
                queue.publish(event(i))
            workload.start()
            if 'accept' in calls:
                Connection(amps.port).connect()
                amps.wait_log('Cannot accept')
            self.assert_idle(amps, 3)
            if 'send' not in calls:
                self.assertEqual(open_before.get('/healthz'), 200)
            change('')
            wait_until(amps.is_listening, 20)
            ids = {post.id for post in workload.wait(6, 40)}
            wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0)
            self.assertEqual(sorted(ids), ['0', '1', '2', '3', '4', 'before'])
            self.assertEqual(amps.stop(), 0)
        wait_until(lambda: queue.count() == 0)

    def test_none_in_the_system(self):
        """ENFILE."""
        self.check_fault(errno.ENFILE, 'socket accept')

    def test_no_buffers(self):
        """ENOBUFS, as of a socket that can't be made."""
        self.check_fault(errno.ENOBUFS, 'socket accept')

    def test_nothing_can_be_sent(self):
        """ENOBUFS, as of a network device whose queue is full."""
        self.check_fault(errno.ENOBUFS, 'socket send')


@unittest.skipIf(os.geteuid() != 0, 'only root can have names of its own')
class NamesTest(MachineTest):
    """Names that nobody knows, or that somebody knows wrong."""

    def name_server(self, answer):
        """One for AMPS alone."""
        server = NameServer(tempfile.mkdtemp(prefix='amps-test-'), answer)
        self.addCleanup(server.__exit__)
        return server

    @amqp_only
    def test_name_of_the_broker(self):
        """AMPS says what is wrong, and finds the broker as soon as its name is right."""
        server = self.name_server(False)
        uri = self.node.uri.replace('127.0.0.1', 'broker.test')
        queue = self.queue()
        queue.publish(event(1))
        with Workload(acknowledge) as workload, \
                Amps(uri, queue.name, workload, command=server.command).wait_listening() as amps:
            wait_until(lambda: server.asked > 0)
            self.assert_alive(amps, 3)
            self.assertEqual(amps.get('/readyz').status, 503)
            server.answer = None
            amps.wait_log('no such host', 40)
            self.assertIn('no such host', amps.get('/readyz').body)
            # An address of loopback where nobody listens.
            server.answer = '127.254.254.254'
            wait_until(lambda: 'connection refused' in amps.get('/readyz').body, 20)
            server.answer = '127.0.0.1'
            amps.wait_ready()
            workload.wait(1)
            wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0)
            self.assertEqual(amps.stop(), 0)

    @amqp_only
    def test_stops_while_it_looks_up(self):
        """Nobody waits for an answer that does not come."""
        server = self.name_server(False)
        uri = self.node.uri.replace('127.0.0.1', 'broker.test')
        with Amps(uri, 'any', command=server.command).wait_listening() as amps:
            wait_until(lambda: server.asked > 0)
            begun = time.monotonic()
            self.assertEqual(amps.stop(), 0)
            self.assertLess(time.monotonic() - begun, 10)

    def test_name_of_the_workload(self):
        """Jobs wait for it, none is blamed, and the main loop is not kept."""
        server = self.name_server(False)
        queue = self.queue()
        queue.publish(event(1))
        with Workload(acknowledge) as workload:
            address = workload.address.replace('127.0.0.1', 'workload.test')
            with Amps(self.node.uri, queue.name, WORKLOAD_ADDRESS=address, MAX_ATTEMPTS=1,
                      command=server.command).wait_listening() as amps:
                wait_until(lambda: server.asked > 0)
                self.assert_alive(amps, 3)
                for answer in (None, '127.254.254.254'):
                    server.answer = answer
                    wait_until(lambda: amps.get('/readyz').status == 503, 40)
                    self.assert_alive(amps, 2)
                    self.assertEqual(workload.posts, [])
                server.answer = '127.0.0.1'
                self.assertEqual(workload.wait(1, 40)[0].headers['Amps-Attempt'], '1')
                wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0)
                self.assertEqual(amps.stop(), 0)


class ClockTest(MachineTest):
    """Somebody sets the wall clock while jobs run."""

    def test_deadlines(self):
        """A job has the time that it was given, whatever the time of day is."""
        settings, set_clock = self.preload('WALL_CLOCK')
        queue = self.queue()
        with Workload(lambda _: 202) as workload, \
                Amps(self.node.uri, queue.name, workload, JOB_TIMEOUT='6s', RETRY_MIN_BACKOFF='10ms',
                     RETRY_MAX_BACKOFF='10ms', **settings).wait_ready() as amps:
            for number, offset in enumerate((DAY, 0, -DAY)):
                queue.publish(event(number))
                post = workload.wait(2 * number + 1)[-1]
                time.sleep(1)
                set_clock(offset)
                deadline = amps.get(f'/jobs/{number}').json['deadline']
                left = (datetime.datetime.fromisoformat(deadline.replace('Z', '+00:00'))
                        .timestamp() - time.time() - offset)
                self.assertTrue(3 < left < 6, left)
                again = workload.wait(2 * number + 2)[-1]
                self.assertAlmostEqual(again.time - post.time, 6, delta=1.5)
                self.assertEqual(again.headers['Amps-Attempt'], '2')
                self.assertEqual(again.acknowledge(), 202)
            self.assertEqual(amps.stop(), 0)

    def test_many_jobs(self):
        """None is lost or run twice when the day changes to and fro."""
        settings, set_clock = self.preload('WALL_CLOCK')
        queue = self.queue()

        def answer(post):
            time.sleep(0.2)
            return acknowledge(post)

        with Workload(answer) as workload, \
                Amps(self.node.uri, queue.name, workload, MAX_CONCURRENCY=10,
                     **settings).wait_ready() as amps:
            for i in range(200):
                queue.publish(event(i))
            for i in range(10):
                set_clock((DAY, -DAY, 0)[i % 3])
                self.assert_alive(amps, 0.3)
            workload.wait(200)
            wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0)
            self.assertEqual(len(workload.posts), 200)
            self.assertEqual(amps.metric('amps_broker_reconnects_total'), 0)
            self.assertEqual(amps.stop(), 0)


class SuspensionTest(MachineTest):
    """The process does not run for some time."""

    def test_suspended(self):
        """Jobs that were accepted before are ended after it, none is lost, and none runs again
        that need not."""
        queue = self.queue()
        with Workload(lambda _: 202) as workload, \
                Amps(self.node.uri, queue.name, workload, MAX_CONCURRENCY=20,
                     JOB_TIMEOUT=f'{4 * SUSPENDED}s').wait_ready() as amps:
            for i in range(40):
                queue.publish(event(i))
            posts = list(workload.wait(20))
            wait_until(lambda: amps.metric('amps_jobs_in_flight') >= 20)
            amps.process.send_signal(signal.SIGSTOP)
            time.sleep(SUSPENDED)
            workload.answer = acknowledge
            amps.process.send_signal(signal.SIGCONT)
            wait_until(amps.is_ready, 60)
            for post in posts:
                # A lease that is over may be another's: then the job is gone from here.
                self.assertIn(wait_until(lambda post=post: self.settle(post), 20),
                              (202, 404) if EMBEDDED else (202,))
            wait_until(lambda: {post.id for post in workload.posts} == {
                str(i) for i in range(40)}, 60, 'all jobs')
            wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0, 60)
            if not EMBEDDED:
                self.assertEqual(len(workload.posts), 40)
            self.assertEqual(amps.stop(), 0)
        wait_until(lambda: queue.count() == 0)

    @staticmethod
    def settle(post):
        """The status of an acknowledgement, unless it is to be tried again."""
        status = post.acknowledge()
        return status if status != 503 else None


if __name__ == '__main__':
    unittest.main()
