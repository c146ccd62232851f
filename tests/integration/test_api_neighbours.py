# SPDX-License-Identifier: MIT
"""What neighbours can do to AMPS: foreign bytes, long texts, browsers, many readers."""

import http.client
import json
import os
import shutil
import socket
import sqlite3
import struct
import subprocess
import tempfile
import time
import unittest

from amps import Amps, wait_until
from broker import EmbeddedNode, EmbeddedQueue, event
from scripted_broker import ScriptedBroker, method, short
from workload import Workload

RAW = b'caf\xe9 \xff\xfe \x1b[2J'
READABLE = 'caf\ufffd \ufffd\ufffd \\u001b[2J'
# Of a text that others wrote.
MAX_TEXT = 1024

CHROMIUM = shutil.which('chromium-headless-shell') or shutil.which('chromium')


class Embedded(unittest.TestCase):
    """A file with the queue “jobs”."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        self.addCleanup(folder.cleanup)
        self.node = EmbeddedNode(folder.name)
        self.node.start()

    def queue(self, name='jobs'):
        """A queue of the file."""
        queue = EmbeddedQueue(self.node, name, None, None)
        self.addCleanup(queue.close)
        return queue

    def workload(self, answer):
        """A workload, until the test ends."""
        workload = Workload(answer)
        self.addCleanup(workload.stop)
        return workload


class ForeignText(Embedded):
    """What others say is UTF-8 before it is in an answer or in the log."""

    def assert_shown(self, amps, text):
        """Every view of the broker's state is JSON, in UTF-8, and says this."""
        views = {'/health': lambda answer: answer['details'],
                 '/readyz': lambda answer: answer['details'],
                 '/health/detailed': lambda answer: answer['broker']['detail']}
        wait_until(lambda: text in amps.get('/readyz').body.replace('\\\\', '\\'),
                   what=f'“{text}” in /readyz')
        for path, get in views.items():
            if not amps.get('/health').json['connected'] or path == '/readyz':
                self.assertIn(text, get(amps.get(path).json), path)

    def assert_log(self, amps, text):
        """Each line of the log is JSON, and one says this."""
        amps.stop()
        lines = [json.loads(line) for line in amps.raw_log.decode().splitlines()]
        self.assertTrue(any(text in line['message'] for line in lines), lines)

    def test_names_in_a_file(self):
        """SQLite quotes them as they are."""
        database = sqlite3.connect(self.node.path)
        database.execute('CREATE TABLE raw (x)')
        database.execute('PRAGMA writable_schema = ON')
        database.execute("UPDATE sqlite_schema SET name = CAST(? AS TEXT), sql = 'CREATE '"
                         " WHERE name = 'raw'", (RAW,))
        database.commit()
        database.close()
        with Amps(self.node.uri, 'jobs').wait_listening() as amps:
            self.assert_shown(amps, READABLE)
            self.assert_log(amps, READABLE)

    def test_path_of_a_file(self):
        folder = os.path.dirname(self.node.path)
        with Amps(f'sqlite://{folder}/no%FF/%1B.db', 'jobs').wait_listening() as amps:
            self.assert_shown(amps, f'{folder}/no\ufffd/\\u001b.db')
            self.assert_log(amps, f'{folder}/no\ufffd/\\u001b.db')

    def test_log_for_people(self):
        folder = os.path.dirname(self.node.path)
        with Amps(f'sqlite://{folder}/no%FF/%1B.db', 'jobs',
                  LOG_FORMAT='text').wait_listening() as amps:
            self.assert_shown(amps, f'{folder}/no\ufffd/\\u001b.db')
            amps.stop()
            self.assertIn(f'{folder}/no\ufffd/\\u001b.db', amps.raw_log.decode())
            self.assertNotIn(b'\x1b', amps.raw_log)

    def test_name_of_a_queue(self):
        with Amps(self.node.uri, b'jobs\xff') as amps:
            self.assertEqual(amps.process.wait(20), 78)
            self.assertIn('BROKER_SUBJECT', amps.raw_log.decode())

    def test_broker_that_refuses_the_consumer(self):
        broker = ScriptedBroker()
        self.addCleanup(broker.close)
        broker.refuse_consumer = lambda arguments: RAW
        with Amps(broker.uri, 'q', self.workload(lambda _: 204)).wait_listening() as amps:
            self.assert_shown(amps, READABLE)
            self.assert_log(amps, READABLE)

    def test_broker_that_closes_the_connection(self):
        broker = ScriptedBroker()
        self.addCleanup(broker.close)
        with Amps(broker.uri, 'q', self.workload(lambda _: 204)).wait_ready() as amps:
            broker.on_consume = lambda connection: connection.send(close)
            close = method(0, 10, 50, struct.pack('>H', 320) + short(RAW) + struct.pack('>HH', 0, 0))
            broker.connections[0].send(close)
            broker.connections[-1].send(close)
            amps.wait_log(READABLE.replace('\\', '\\\\'))
            self.assert_shown(amps, READABLE)
            self.assert_log(amps, READABLE)

    def test_answer_of_the_workload(self):
        queue, dead = self.queue(), self.queue('jobs.dead')
        answers = {'retried': (500, {}, RAW), 'rejected': (422, {}, RAW + b'x' * 10_000_000)}
        workload = self.workload(lambda post: answers[post.id])
        # So that nothing is refused as if the address were wrong, and retries wait in AMPS.
        settings = {'RETRY_MIN_BACKOFF': '900ms', 'RETRY_MAX_BACKOFF': '900ms'}
        with Amps(self.node.uri, 'jobs', workload, **settings).wait_ready() as amps:
            queue.publish(event('retried'))
            queue.publish(event('rejected'))
            job = wait_until(lambda: (answer := amps.get('/jobs/retried')).status == 200
                             and 'detail' in answer.json and answer.json, what='a job that waits')
            self.assertIn(READABLE, job['detail'])
            detail = dead.take()[0].headers['x-amps-detail']
            self.assertIn(READABLE, detail)
            self.assertTrue(detail.endswith('x…'), detail[-20:])
            self.assertLess(len(detail.encode()), MAX_TEXT + 100)

    def test_what_a_client_calls_a_job(self):
        with Amps(self.node.uri, 'jobs').wait_listening() as amps:
            for path in ('/jobs/%FF%1B', '/%FF', '/jobs/' + '%E2%82%AC' * 2000):
                answer = amps.get(path)
                self.assertEqual(answer.status, 404)
                self.assertLessEqual(len(answer.json['detail'].encode()), MAX_TEXT)
            for identifiers in ({'identifier': 'x' * 1_000_000}, {'identifiers': ['x' * 1_000_000]}):
                self.assertLess(len(amps.post('/acknowledge', identifiers).body),
                                2 * MAX_TEXT + 1_000_000 * ('identifiers' in identifiers))


class Reasons(Embedded):
    """A long reason is cut where it enters."""

    LONG = 'ä' * 2_500_000

    def assert_cut(self, amps, dead):
        """It is short in the dead letter and in the log."""
        detail = dead.take()[0].headers['x-amps-detail']
        self.assertTrue(detail.endswith('ä…'), detail[-20:])
        self.assertLessEqual(len(detail.encode()), MAX_TEXT)
        self.assertGreater(len(detail.encode()), MAX_TEXT - 8)
        amps.stop()
        self.assertLess(max(map(len, amps.raw_log.splitlines())), 2 * MAX_TEXT)

    def test_reject(self):
        queue, dead = self.queue(), self.queue('jobs.dead')
        with Amps(self.node.uri, 'jobs', self.workload(lambda _: 202)).wait_ready() as amps:
            queue.publish(event('a'))
            wait_until(lambda: amps.get('/jobs/a').status == 200, what='a job')
            self.assertEqual(
                amps.post('/reject', {'identifier': 'a', 'reason': self.LONG}).status, 202)
            self.assert_cut(amps, dead)

    def test_batch(self):
        def fail(post):
            identifier = json.loads(post.body)[0]['id']
            answer = {'failures': [{'identifier': identifier, 'reason': self.LONG}]}
            return 200, {'Content-Type': 'application/json'}, json.dumps(
                answer, ensure_ascii=False).encode()

        queue, dead = self.queue(), self.queue('jobs.dead')
        with Amps(self.node.uri, 'jobs', self.workload(fail), WORKLOAD_MODE='sync',
                  WORKLOAD_BATCH_SIZE=2).wait_ready() as amps:
            queue.publish(event('a'))
            self.assert_cut(amps, dead)


class Browsers(Embedded):
    """A page of a stranger can make a browser on this host send requests."""

    # The headers of a request, with the port for %d, and whether it may use the job API.
    REQUESTS = [
        ({'Host': 'localhost:%d'}, True),
        ({'Host': '127.0.0.1:%d'}, True),
        ({'Host': '[::1]:%d'}, True),
        ({'Host': '10.1.2.3'}, True),
        ({'Host': socket.gethostname()}, True),
        ({'Host': 'amps:%d'}, True),  # of API_URL
        ({'Host': 'rebound.example:%d'}, False),
        ({'Host': 'localhost.example'}, False),
        ({'Host': '127.0.0.1.example'}, False),
        ({'Host': 'amps:%d', 'Sec-Fetch-Site': 'same-origin'}, True),
        ({'Host': 'rebound.example:%d', 'Sec-Fetch-Site': 'same-origin'}, False),
        ({'Host': 'rebound.example:%d', 'Origin': 'http://rebound.example:%d'}, False),
        ({'Host': 'localhost:%d', 'Sec-Fetch-Site': 'none'}, True),
        ({'Host': 'localhost:%d', 'Sec-Fetch-Site': 'same-origin'}, True),
        ({'Host': 'localhost:%d', 'Sec-Fetch-Site': 'same-site'}, False),
        ({'Host': 'localhost:%d', 'Sec-Fetch-Site': 'cross-site'}, False),
        ({'Host': 'localhost:%d', 'Origin': 'http://localhost:%d'}, True),
        ({'Host': 'localhost:%d', 'Origin': 'http://localhost:8080'}, False),
        ({'Host': 'localhost:%d', 'Origin': 'http://127.0.0.1:%d'}, False),
        ({'Host': 'localhost:%d', 'Origin': 'http://stranger.example'}, False),
        ({'Host': 'localhost:%d', 'Origin': 'null'}, False),
    ]
    CALLS = [('GET', '/drain'), ('HEAD', '/drain'), ('POST', '/drain'), ('POST', '/pause'),
             ('POST', '/acknowledge'), ('POST', '/publish'), ('POST', '/concurrency'),
             ('GET', '/jobs'), ('GET', '/jobs/x'), ('GET', '/events')]
    OPEN = ['/', '/page/page.js', '/healthz', '/readyz', '/health', '/health/detailed']

    def amps(self, **settings):
        """An AMPS that is ready."""
        amps = Amps(self.node.uri, 'jobs', self.workload(lambda _: 202), **settings)
        self.addCleanup(amps.__exit__)
        return amps.wait_ready()

    @staticmethod
    def call(amps, method_name, path, headers, port=None):
        """The status of a request that has these headers, and no Host but theirs."""
        connection = http.client.HTTPConnection('127.0.0.1', port or amps.port, timeout=30)
        connection.putrequest(method_name, path, skip_host=True)
        for name, value in headers.items():
            connection.putheader(name, value.replace('%d', str(amps.port)))
        connection.endheaders()
        status = connection.getresponse().status
        connection.close()
        return status

    def test_requests(self):
        amps = self.amps(API_URL='http://amps:4000')
        for headers, allowed in self.REQUESTS:
            for method_name, path in self.CALLS:
                with self.subTest(f'{method_name} {path}', **headers):
                    self.assertEqual(self.call(amps, method_name, path, headers) != 403, allowed)
            state = amps.get('/health/detailed').json['state']
            self.assertEqual(state != 'running', allowed, headers)
            self.assertEqual(amps.post('/resume').status, 200)

    def test_probes_call_it_what_they_like(self):
        amps = self.amps()
        for headers, _ in self.REQUESTS:
            for path in self.OPEN:
                with self.subTest(path, **headers):
                    self.assertEqual(self.call(amps, 'GET', path, headers), 200)
            self.assertEqual(self.call(amps, 'GET', '/metrics', headers, amps.metrics_port), 200)

    def test_a_token_proves_enough(self):
        amps = self.amps(API_TOKEN='open-sesame')
        for headers, _ in self.REQUESTS:
            with self.subTest(**headers):
                self.assertEqual(self.call(amps, 'GET', '/jobs', headers), 401)
                headers = {**headers, 'Authorization': 'Bearer open-sesame'}
                self.assertEqual(self.call(amps, 'GET', '/jobs', headers), 200)

    def test_a_network_that_is_trusted(self):
        amps = self.amps(API_ALLOW_REMOTE='true')
        for headers, _ in self.REQUESTS:
            with self.subTest(**headers):
                self.assertEqual(self.call(amps, 'GET', '/jobs', headers), 200)

    def test_no_header_lets_a_page_read(self):
        amps = self.amps()
        for method_name, path in [('GET', '/jobs'), ('OPTIONS', '/acknowledge'), ('GET', '/health')]:
            headers = amps.call(method_name, path).headers
            self.assertFalse([name for name in headers if name.lower().startswith('access-control')])

    @unittest.skipUnless(CHROMIUM, 'Debian has it as chromium-headless-shell')
    def test_real_browser(self):
        """What one does by itself, and what its user has typed."""
        amps = self.amps()
        api = f'http://127.0.0.1:{amps.port}'
        page = f'''<img src="{api}/drain"><iframe name="frame"></iframe>
            <form method="post" action="{api}/pause" target="frame"></form>
            <script>document.forms[0].submit();
            for (const path of ["/drain", "/pause"])
                fetch("{api}" + path, {{method: "POST", mode: "no-cors", body: "{{}}"}});
            </script>'''

        def refused(call):
            return amps.metric(f'amps_api_requests_total{{call="{call}",code="403"}}')

        stranger = self.workload(lambda _: 202)
        stranger.ready = 200, {'Content-Type': 'text/html'}, page.encode()
        self.browse(f'http://stranger.example:{stranger.port}/')
        self.assertEqual((refused('drain'), refused('pause')), (2, 2))
        self.browse(f'http://rebound.example:{amps.port}/drain')
        self.assertEqual(refused('drain'), 3)
        self.assertEqual(amps.get('/health/detailed').json['state'], 'running')
        # This one the user has typed.
        self.assertIn('draining', self.browse(f'{api}/drain'))

    @staticmethod
    def browse(url):
        """Opens a page, for whose name a DNS gives the address of this host."""
        return subprocess.run(
            [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', '--timeout=5000', '--dump-dom',
             '--host-resolver-rules=MAP *.example 127.0.0.1', url],
            capture_output=True, text=True, timeout=60, check=True).stdout


class Listings(Embedded):
    """Readers of long lists keep neither the main loop nor the memory."""

    JOBS, READERS = 3000, 60
    # It makes a page of 3 MiB, over what the system keeps for a socket.
    PADDING = 'x' * 1000

    @staticmethod
    def read(port):
        """Asks for a list and leaves the answer unread; returns the connection."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(('127.0.0.1', port))
        connection.sendall(b'GET /jobs?limit=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n')
        return connection

    def test_many_at_once(self):
        self.queue().fill([event(f'{number}-{self.PADDING}') for number in range(self.JOBS)])
        with Amps(self.node.uri, 'jobs', self.workload(lambda _: 202), DEBUG='false',
                  MAX_CONCURRENCY=self.JOBS, WORKLOAD_BATCH_SIZE=500).wait_ready() as amps:
            wait_until(lambda: amps.get('/health/detailed').json['jobs']['in_workload'] == self.JOBS,
                       what='all jobs running')
            before = amps.resident
            readers = [self.read(amps.port) for _ in range(self.READERS)]
            slowest = 0
            end = time.monotonic() + 5
            while time.monotonic() < end:
                began = time.monotonic()
                self.assertEqual(amps.get('/healthz').status, 200)
                slowest = max(slowest, time.monotonic() - began)
            grown = amps.resident - before
            self.assertLess(slowest, 2)
            self.assertLess(grown, self.READERS * 512)
            for reader in readers[1:]:
                reader.close()
            answer = http.client.HTTPResponse(readers[0])
            answer.begin()
            page = json.loads(answer.read())
            readers[0].close()
            self.assertEqual(len({job['id'] for job in page['jobs']}), self.JOBS)
            self.assertNotIn('next', page)

    def test_pages(self):
        self.queue().fill([event(number) for number in range(25)])
        with Amps(self.node.uri, 'jobs', self.workload(lambda _: 202)).wait_ready() as amps:
            wait_until(lambda: amps.get('/jobs').json['count'] == 25, what='all jobs in flight')
            found, after = [], '0'
            while after is not None:
                page = amps.get(f'/jobs?limit=10&after={after}').json
                found += [job['id'] for job in page['jobs']]
                after = page.get('next')
                self.assertLessEqual(len(page['jobs']), 10)
            self.assertEqual(sorted(found, key=int), [str(number) for number in range(25)])


if __name__ == '__main__':
    unittest.main()
