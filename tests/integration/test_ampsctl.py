# SPDX-License-Identifier: MIT
"""ampsctl with a real AMPS: over HTTP, at a unix socket and on D-Bus."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import ampsctl
from amps import Amps, wait_until
from broker import EMBEDDED, BrokerTest, event
from rabbitmq_node import free_port
from test_dbus import NOBODY, Daemon
from workload import Workload

USAGE, BAD_DATA, NO_INPUT, UNREACHABLE, TRY_AGAIN, NOT_ALLOWED = 64, 65, 66, 69, 75, 77


class CtlTest(BrokerTest):
    """Has an AMPS whose workload accepts all and finishes nothing."""

    def setUp(self):
        self.workload = Workload(lambda _: 202)
        self.addCleanup(self.workload.stop)
        self.amps = None
        self.where = {}
        self.options = ()

    def begin(self, *names, where=None, **settings):
        """Starts an AMPS, with jobs in flight; returns its queue."""
        queue, self.dead = self.queue_with_dead_letters()
        queue.fill(event(name) for name in names)
        self.amps = Amps(self.node.uri, queue.name, self.workload,
                         **{'DRAIN_TIMEOUT': '0s', **settings})
        self.addCleanup(self.amps.__exit__)
        self.where = where if where is not None else {'PORT': self.amps.port}
        wait_until(lambda: ampsctl.call('healthcheck', '--ready', **self.where).status == 0,
                   what='being ready')
        self.workload.wait(len(names))
        return queue

    def start(self, *arguments):
        """Starts ampsctl."""
        return ampsctl.start(*self.options, *arguments, **self.where)

    def ctl(self, *arguments, text=None):
        """Runs it to its end."""
        return ampsctl.call(*self.options, *arguments, text=text, **self.where)

    def good(self, *arguments, text=None):
        """Runs it; it must be content."""
        result = self.ctl(*arguments, text=text)
        self.assertEqual((result.status, result.errors), (0, ''), result)
        return result

    def bad(self, status, said, *arguments, text=None):
        """Runs it; it must fail so."""
        result = self.ctl(*arguments, text=text)
        self.assertEqual(result.status, status, result)
        self.assertIn(said, result.errors)
        for line in result.errors.splitlines():
            self.assertTrue(line.startswith('ampsctl: '), line)
        return result

    def ids(self):
        """The jobs that it lists."""
        return [job['id'] for job in self.good('jobs', '--json').json['jobs']]

    def check_a_jobs_life(self):
        """All commands, whatever the way; in flight are the jobs a to f."""
        self.assertEqual(sorted(self.ids()), ['a', 'b', 'c', 'd', 'e', 'f'])
        status = self.good('status').output
        self.assertRegex(status, r'State +running, ready')
        self.assertRegex(status, r'Jobs +6 in flight.*, at most 100')
        details = self.good('status', '--json').json
        self.assertEqual((details['state'], details['obstacles'], details['jobs']['count']),
                         ('running', '', 6))
        self.assertEqual(self.good('healthcheck').output, 'healthy\n')
        self.assertEqual(self.good('acknowledge', 'a', 'b').output,
                         'a: acknowledged\nb: acknowledged\n')
        self.assertEqual(self.good('reject', 'c', '--reason', 'out of ink').output, 'c: rejected\n')
        properties, body = self.dead.take()
        self.assertEqual((json.loads(body)['id'], properties.headers['x-amps-reason']),
                         ('c', 'rejected'))
        self.assertIn('out of ink', properties.headers['x-amps-detail'])
        run = next(post.headers['Amps-Job-Id'] for post in self.workload.posts if post.id == 'd')
        self.assertEqual(self.good('reject', '--reschedule', run).output, f'{run}: given back\n')
        wait_until(lambda: [post.id for post in self.workload.posts].count('d') == 2,
                   what='the job again')
        before = time.time()
        deadline = self.good('--json', 'heartbeat', 'e', '--extend=10m').json[0]['deadline']
        self.assertIn(time.strftime('T%H:', time.gmtime(before + 600)), deadline)
        self.assertEqual(self.good('pause').output, 'paused, 3 in flight\n')
        self.bad(1, 'not ready: ', 'healthcheck', '--ready')
        self.assertEqual(self.good('resume').output, 'running, 3 in flight\n')
        wait_until(lambda: self.ctl('healthcheck', '--ready').status == 0, what='being ready')
        self.assertEqual(self.good('publish', '-', text=event('g', type=self.amps.subject)).output,
                         '1 event published\n')
        self.workload.wait(8)
        self.assertEqual(sorted(self.ids()), ['d', 'e', 'f', 'g'])
        self.assertEqual(self.good('drain').output, 'draining, 4 in flight\n')
        began = time.monotonic()
        self.bad(1, 'still in flight', 'drain', '--wait=500ms')
        self.assertGreater(time.monotonic() - began, 0.5)
        waiting = self.start('drain', '--wait=30s')
        self.good('acknowledge', 'd', 'e', 'f', 'g')
        result = ampsctl.finish(waiting)
        self.assertEqual((result.status, result.output), (0, 'draining, 0 in flight\n'), result)
        self.good('resume')
        self.assertEqual(self.good('concurrency', '5').output, 'running, 0 in flight\n')
        self.assertEqual(self.good('status', '--json').json['jobs']['max_concurrency'], 5)
        self.bad(USAGE, 'from 1 to 65535', 'concurrency', '0')


class Ways:
    """The same commands, and their limits, by each way."""

    def test_http(self):
        queue = self.begin(*'abcdef')
        self.amps.subject = queue.name
        self.check_a_jobs_life()

    def test_socket(self):
        """As in the same container: the variables of AMPS say where it is."""
        with tempfile.TemporaryDirectory() as folder:
            where = {'PORT': 0, 'API_SOCKET': f'{folder}/api.sock'}
            queue = self.begin(*'abcdef', where=where, **where)
            self.amps.subject = queue.name
            self.check_a_jobs_life()
            self.where = {}
            self.good('status', '--socket', f'{folder}/api.sock')
            self.good('status', f'--url=unix:{folder}/api.sock')
            self.bad(UNREACHABLE, 'there is no AMPS at', 'status', '--socket', f'{folder}/none')

    def bus(self):
        """A bus until the test ends."""
        folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        daemon = Daemon(folder.name)
        self.addCleanup(daemon.stop)
        return daemon

    def test_dbus(self):
        daemon = self.bus()
        queue = self.begin(*'abcdef', DBUS_BUS=daemon.address)
        self.amps.wait_log('On D-Bus as')
        self.amps.subject = queue.name
        self.where, self.options = {'PORT': free_port()}, (f'--bus={daemon.address}',)
        self.check_a_jobs_life()
        self.assertIn('leave out --bus', self.good('top', '--count=1').output)
        self.bad(BAD_DATA, 'specversion', 'publish', '-', text='{}')
        self.bad(1, 'no job', 'acknowledge', 'nope')
        # DBUS_BUS says it as well.
        self.where, self.options = {'DBUS_BUS': daemon.address}, ('--bus',)
        self.assertIn('running', self.good('status').output)

    def test_dbus_for_others(self):
        daemon = self.bus()
        self.begin('a', DBUS_BUS=daemon.address)
        self.amps.wait_log('On D-Bus as')
        for arguments, status in ((('jobs',), 0), (('pause',), NOT_ALLOWED),
                                  (('acknowledge', 'a'), NOT_ALLOWED)):
            done = subprocess.run([ampsctl.BINARY, f'--bus={daemon.address}', *arguments],
                                  env=ampsctl.environment(), cwd='/', user=NOBODY, timeout=20,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, status, done)

    def test_no_bus(self):
        self.bad(UNREACHABLE, 'there is no D-Bus here', 'status', '--bus=none')
        self.bad(UNREACHABLE, 'there is no AMPS at', 'status', '--bus=unix:path=/nowhere')
        self.bad(USAGE, '--bus must be', 'status', '--bus=frob')
        self.bad(UNREACHABLE, 'there is no AMPS at', 'status', f'--bus={self.bus().address}')


class Jobs:
    """What is in flight."""

    def test_many_pages(self):
        """More than AMPS gives at once."""
        self.begin(*range(1100), MAX_CONCURRENCY=2000)
        self.assertEqual(sorted(map(int, self.ids())), list(range(1100)))
        lines = self.good('jobs', '--limit=3').output.splitlines()
        self.assertEqual((len(lines), lines[-1]), (5, 'and 1097 more'))

    def test_foreign_text(self):
        """A job may be called what does something to a terminal."""
        names = ('\x1b[2Jclear', 'two\nlines', 'right\u202eleft', '漢字', 'e\u0301')
        self.begin(*names)
        output = self.good('jobs').output
        self.assertEqual(len(output.splitlines()), 1 + len(names))
        self.assertFalse([c for c in output if c != '\n' and ord(c) < 32 or c == '\u202e'])
        for shown in ('\\u001b[2Jclear', 'two\\u000alines', 'right\\u202eleft', '漢字'):
            self.assertIn(shown, output)
        self.assertEqual(sorted(self.ids()), sorted(names))

    def test_again_and_again(self):
        """Where there is no terminal, one after the other."""
        self.begin('a')
        lines = self.good('jobs', '--watch', '--count=2', '--interval=100ms').output.splitlines()
        self.assertEqual(lines.count('1 job in flight'), 2)
        looks = self.good('jobs', '--watch', '--count=2', '--interval=100ms', '--json').output
        self.assertEqual([json.loads(look)['count'] for look in looks.splitlines()], [1, 1])
        self.bad(USAGE, 'at least 100ms', 'jobs', '--watch', '--interval=1ms')

    def test_top(self):
        self.begin(*range(20))
        for number in range(10):
            self.good('acknowledge', number)
        first, second = map(json.loads, self.good('top', '--json', '--count=2',
                                                  '--interval=200ms').output.splitlines())
        self.assertEqual(first['in_flight'], 10)
        self.assertEqual(len(first['jobs']), 10)
        self.assertGreater(first['latencies']['answer']['p99'], 0)
        self.assertGreaterEqual(first['latencies']['job']['p99'], first['latencies']['job']['p50'])
        self.assertEqual(second['rates']['acknowledged'], 0)
        self.assertIsNone(second['latencies']['job']['p50'])
        text = self.good('top', '--count=1').output
        self.assertIn('in flight 10 of 100', text)
        self.assertIn('LATENCY', text)

    def test_top_without_metrics(self):
        self.begin('a', METRICS_ENABLED='false')
        text = self.good('top', '--count=1').output
        self.assertIn('METRICS_ENABLED=false', text)
        self.assertIn('in flight 1 of 100', text)
        self.assertNotIn('LATENCY', text)


class Publications:
    """Files of events."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, text):
        """A file of these bytes or this text."""
        path = self.folder / 'events'
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def begin_with_queue(self, **settings):
        """Starts AMPS; returns another queue."""
        self.begin(**settings)
        return self.queue()

    def events(self, queue, count):
        """So many events for a queue."""
        return [event(number, type=queue.name) for number in range(count)]

    def test_forms(self):
        queue = self.begin_with_queue()
        events = self.events(queue, 3)
        indented = json.dumps(json.loads(events[0]), indent=2)
        for text, count in ((events[0], 1), (events[0] + b'\n', 1), (indented, 1),
                            (b'\n\n[' + b',\n'.join(events) + b']\n', 3),
                            (b'[]', None), (b'', None), (b'\n \n', None),
                            (b'\n'.join(events), 3), (b'\r\n\r\n'.join(events) + b'\r\n\n', 3)):
            with self.subTest(text):
                path = self.file(text)
                if count is None:
                    self.bad(BAD_DATA, 'there is no event in it', 'publish', path)
                else:
                    self.assertEqual(self.good('publish', '--json', path).json['published'], count)
                    taken = {json.loads(queue.take()[1])['id'] for _ in range(count)}
                    self.assertEqual(len(taken), count)

    def test_bytes_stay(self):
        """What is published is what stands in the file."""
        queue = self.begin_with_queue()
        odd = ('{ "specversion":"1.0", "id":"1", "source":"/ä", "data": [1e2, 0.10],'
               f'\t"type":"{queue.name}" }}')
        for text in (odd, f'[{odd}]', f'[\n{odd}\n]'):
            self.good('publish', self.file(text))
            self.assertEqual(queue.take()[1], odd.encode())

    def test_many_by_pipe(self):
        queue = self.begin_with_queue()
        result = self.good('publish', '-', text=b'\n'.join(self.events(queue, 2000)))
        self.assertEqual(result.output, '2000 events published\n')
        queue.wait_count(2000)

    def test_refused(self):
        """It says which line it was, and stops unless it is told to go on."""
        queue = self.begin_with_queue()
        lines = self.events(queue, 200)
        lines[2] = b'{"specversion":"1.0"}'
        lines[5] = b'nonsense \x1b[2J \xff'
        lines[7] = event('x', type='no-such-queue')
        path = self.file(b'\n'.join(lines))
        if EMBEDDED:  # There a queue begins with its first job.
            lines.pop(7)
        result = self.bad(BAD_DATA, 'line 3: “', 'publish', path)
        self.assertLess(int(result.output.split()[0]), 100)
        failed = 2 if EMBEDDED else 3
        result = self.bad(BAD_DATA, 'line 6: not a JSON object', 'publish', '-k', path)
        self.assertEqual(result.output, f'{200 - failed} events published\n')
        if not EMBEDDED:
            self.assertIn('line 8: ', result.errors)
        result = self.ctl('publish', '--keep-going', '--json', path).json
        self.assertEqual((result['published'], result['failed']), (200 - failed, failed))
        self.bad(BAD_DATA, 'event 2: ', 'publish', self.file(b'[%b,{"a":1}]' % lines[0]))

    def test_no_events(self):
        self.begin()
        for text, said in (('[1]', 'not an object in line 1'), ('[\n{"a":1', 'line 2'),
                           ('{"a":\n', 'in line 2'), ('nonsense', 'in line 1'),
                           ('[{"a":1} {"b":2}]', 'a comma is missing')):
            with self.subTest(text):
                self.bad(BAD_DATA, said, 'publish', self.file(text))
        self.bad(NO_INPUT, 'No such file', 'publish', self.folder / 'none')
        self.bad(NO_INPUT, 'Is a directory', 'publish', self.folder)

    def test_broker_that_comes(self):
        """What is refused for now is tried again, for as long as there is time."""
        place = self.folder / 'later'
        with Amps(f'sqlite://{place}/queue.db', 'jobs').wait_listening() as amps:
            self.where = {'PORT': amps.port}
            began = time.monotonic()
            self.bad(TRY_AGAIN, '', 'publish', '--timeout=2500ms', '-', text=event('a'))
            self.assertGreater(time.monotonic() - began, 1)
            waiting = self.start('publish', '--timeout=30s', self.file(event('a')))
            time.sleep(0.5)
            place.mkdir()
            result = ampsctl.finish(waiting)
            self.assertEqual((result.status, result.output), (0, '1 event published\n'), result)

    def test_ended_in_the_middle(self):
        """By Ctrl-C: what it says is published is."""
        queue = self.begin_with_queue()
        process = self.start('publish', self.file(b'\n'.join(self.events(queue, 50000))))
        wait_until(lambda: queue.count() > 50, what='some events')
        process.send_signal(signal.SIGINT)
        result = ampsctl.finish(process)
        self.assertEqual((result.status, result.errors), (130, ''), result)
        published = int(result.output.split()[0])
        wait_until(lambda: published <= queue.count() <= published + 32, what='those in the queue')


class Ampsctl(Ways, Jobs, Publications, CtlTest):
    """All of them, with one broker."""


if __name__ == '__main__':
    unittest.main()
