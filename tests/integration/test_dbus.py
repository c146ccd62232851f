# SPDX-License-Identifier: MIT
"""AMPS on a real bus, as other programs of the machine see it."""

import contextlib
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

from amps import Amps, wait_until
from broker import BrokerTest, event
from workload import Workload

NAME = 'io.github.hotellistat.Amps1'
PATH = '/io/github/hotellistat/Amps1'
POLICY = pathlib.Path(os.environ['AMPS_BUILD']) / 'data' / f'{NAME}.conf'
NOBODY = 65534


class Daemon:
    """A bus daemon whose policy is that of a system bus."""

    def __init__(self, folder):
        self.socket = os.path.join(folder, 'bus')
        self.address = f'unix:path={self.socket}'
        policy = POLICY.read_text(encoding='utf-8').replace('user="amps"', 'user="root"')
        self._configuration = os.path.join(folder, 'bus.conf')
        pathlib.Path(self._configuration).write_text(f'''<busconfig>
            <listen>{self.address}</listen><auth>EXTERNAL</auth>
            <policy context="default">
              <allow user="*"/><deny own="*"/><deny send_type="method_call"/>
              <allow send_type="signal"/><allow receive_type="method_call"/>
              <allow receive_type="method_return"/><allow receive_type="error"/>
              <allow receive_type="signal"/>
              <allow send_requested_reply="true" send_type="method_return"/>
              <allow send_requested_reply="true" send_type="error"/>
              <allow send_destination="org.freedesktop.DBus"/>
            </policy>{policy[policy.index('<policy user="root">'):]}''', encoding='utf-8')
        self.start()

    def start(self):
        """Listens."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket)
        self._process = subprocess.Popen(
            ['dbus-daemon', f'--config-file={self._configuration}', '--nofork'],
            stderr=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(self.socket), what='the bus')

    def stop(self):
        """Ends."""
        self._process.kill()
        self._process.wait()


class DBus(BrokerTest):
    """See docs/reference/dbus.md."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        self.daemon = Daemon(folder.name)
        self.addCleanup(self.daemon.stop)

    def amps(self, queue, workload, **settings):
        """An AMPS that is on the bus."""
        amps = Amps(self.node.uri, queue.name, workload, DBUS_BUS=self.daemon.address, **settings)
        self.addCleanup(amps.__exit__)
        amps.wait_ready()
        amps.wait_log('On D-Bus as')
        return amps

    def run_client(self, *command, user=None):
        """Runs a client; returns its status and what it said."""
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=20, user=user, check=False,
                              env={**os.environ, 'DBUS_SYSTEM_BUS_ADDRESS': self.daemon.address})
        return done.returncode, done.stdout

    def call(self, method, *arguments, user=None):
        """Calls a method by gdbus."""
        return self.run_client('gdbus', 'call', '--address', self.daemon.address, '--dest', NAME,
                               '--object-path', PATH, '--method', method, *arguments, user=user)

    def set_max_concurrency(self, number, user=None):
        """Writes the one property that can be."""
        return self.call('org.freedesktop.DBus.Properties.Set', NAME, 'MaxConcurrency',
                         f'<uint32 {number}>', user=user)

    def test_introspection(self):
        with Workload() as workload:
            self.amps(self.queue(), workload)
            status, text = self.run_client('gdbus', 'introspect', '--address', self.daemon.address,
                                           '--dest', NAME, '--object-path', PATH)
            self.assertEqual(status, 0, text)
            for member in ('ListJobs(', 'Drain(', 'StateChanged(', 'JobExpired(',
                           "readwrite u MaxConcurrency = 100", "readonly s State = 'running'"):
                self.assertIn(member, text)
            status, text = self.run_client('busctl', f'--address={self.daemon.address}',
                                           'introspect', NAME, PATH)
            self.assertEqual(status, 0, text)
            self.assertRegex(text, r'\.MaxConcurrency +property +u +100 +emits-change writable')

    def test_who_may_do_what(self):
        queue = self.queue()
        queue.publish(event('a'))
        with Workload(lambda _: 202) as workload:
            amps = self.amps(queue, workload)
            workload.wait(1)
            status, text = self.call(f'{NAME}.GetJob', 'a', user=NOBODY)
            self.assertEqual((status, "'Id': <'a'>" in text), (0, True), text)
            status, text = self.call('org.freedesktop.DBus.Properties.GetAll', NAME, user=NOBODY)
            self.assertEqual((status, "'JobsInFlight': <uint32 1>" in text), (0, True), text)
            for method, arguments in (
                    ('Acknowledge', ['a']), ('Reject', ['a', 'no']), ('Reschedule', ['a', '0']),
                    ('Heartbeat', ['a', '0']), ('Publish', [event('b').decode()]), ('Pause', []),
                    ('Resume', []), ('Drain', [])):
                status, text = self.call(f'{NAME}.{method}', *arguments, user=NOBODY)
                self.assertNotEqual(status, 0, method)
                self.assertIn('Error.Forbidden', text)
            status, text = self.set_max_concurrency(7, user=NOBODY)
            self.assertIn('Error.Forbidden', text)

            self.assertEqual(amps.get('/jobs/a').json['state'], 'running')
            self.assertEqual(amps.metric('amps_concurrency_limit'), 100)
            self.assertEqual(self.call(f'{NAME}.Acknowledge', 'a')[0], 0)
            wait_until(lambda: amps.get('/jobs').json['count'] == 0, what='the end of the job')

    def test_max_concurrency_under_load(self):
        """5 to 50 and back: the number in flight follows, and nothing is lost."""
        queue = self.queue()
        queue.fill(event(number) for number in range(1500))

        def work(post):
            time.sleep(0.1)
            post.acknowledge()
            return 204

        with Workload(work) as workload:
            amps = self.amps(queue, workload, MAX_CONCURRENCY=5)
            for limit in (50, 5):
                self.assertEqual(self.set_max_concurrency(limit)[0], 0)
                wait_until(lambda limit=limit: amps.metric('amps_jobs_in_flight') == limit,
                           what=f'{limit} jobs in flight')
                for _ in range(20):
                    self.assertLessEqual(amps.metric('amps_jobs_in_flight'), limit)
                    time.sleep(0.05)
            self.set_max_concurrency(50)
            wait_until(lambda: len(workload.posts) >= 1500, timeout=40, what='all jobs')
            queue.wait_count(0)
            self.assertEqual(len({post.id for post in workload.posts}), 1500)
            self.assertEqual(len(workload.posts), 1500)

    def test_bus_that_dies(self):
        queue = self.queue()
        with Workload() as workload:
            amps = self.amps(queue, workload)
            self.daemon.stop()
            queue.publish(event('a'))
            workload.wait(1)
            amps.wait_log('The connection to D-Bus is lost')
            self.daemon.start()
            wait_until(lambda: amps.log.count('On D-Bus as') == 2, what='the name again')
            self.assertEqual(self.call(f'{NAME}.Pause')[0], 0)
            self.assertEqual(amps.get('/readyz').status, 503)

    def test_no_bus(self):
        """An error for who asked for one, and silence for who did not."""
        for bus, expected in (('auto', False), ('none', False), ('session', True),
                              ('unix:path=/nowhere', True)):
            with Workload() as workload, Amps(self.node.uri, self.queue().name, workload,
                                              DBUS_BUS=bus).wait_ready() as amps:
                if expected:
                    amps.wait_log('No D-Bus, trying again: ')
                lines = [line for line in amps.log.splitlines()
                         if 'D-Bus' in line and '"debug"' not in line]
                self.assertEqual(bool(lines), expected, lines)
                self.assertEqual(amps.stop(), 0)


if __name__ == '__main__':
    unittest.main()
