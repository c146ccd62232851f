# SPDX-License-Identifier: MIT
"""Every example of a workload does what it says."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import ampsctl
import javascript
from amps import Amps, wait_until
from broker import BrokerTest, event
from rabbitmq_node import free_port

TREE = pathlib.Path(__file__).parents[2]
EXAMPLES = TREE / 'docs' / 'examples'

SYNC = {'WORKLOAD_MODE': 'sync'}

# Shorter than the work: who works before it answers is asked again and again.
SHORT = {'WORKLOAD_RESPONSE_TIMEOUT': '900ms'}


class Examples(BrokerTest):
    """Good payments are booked, and a bad one is rejected with its reason."""

    def need(self, program):
        """Skips the test where the language is not at hand."""
        if shutil.which(program) is None:
            self.skipTest(f'needs {program}')

    def start(self, *command, **environment):
        """Starts an example on a port of its own; returns the port."""
        port = free_port()
        process = subprocess.Popen(command, start_new_session=True,
                                   env={**os.environ, **environment, 'PORT': str(port)})
        self.addCleanup(self.end, process)
        self.process = process
        return port

    @staticmethod
    def end(process):
        """Ends an example with its children, if the test has not."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def check(self, port, reason='negative', **settings):
        """Runs jobs of both sorts through the example."""
        queue, dead = self.queue(), self.queue()
        for number in range(20):
            queue.publish(event(number, data={'amount': number - 0.5}))
        with Amps(self.node.uri, queue.name, WORKLOAD_ADDRESS=f'http://127.0.0.1:{port}',
                  DEAD_LETTER_QUEUE=dead.name, **{'MAX_CONCURRENCY': 5, **settings}) as amps:
            properties, body = dead.take(30)
            self.assertIn(reason, properties.headers['x-amps-detail'])
            self.assertEqual(json.loads(body)['id'], '0')
            wait_until(lambda: amps.metric('amps_job_outcomes_total{outcome="acknowledged"}') == 19,
                       what='the end of the good ones')
            wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end of all')
            self.assertEqual(amps.metric('amps_job_outcomes_total{outcome="retried"}'), 0)
            self.assertEqual(amps.stop(), 0)
        self.assertEqual((queue.count(), dead.count()), (0, 0))

    def test_python(self):
        self.check(self.start(EXAMPLES / 'workload.py', WORK_SECONDS='2'), MAX_CONCURRENCY=20,
                   **SHORT)

    def test_python_that_is_told_to_stop(self):
        """It finishes the jobs that it has, as a pod that ends needs it."""
        queue, acknowledged = self.queue(), 'amps_job_outcomes_total{outcome="acknowledged"}'
        for number in range(5):
            queue.publish(event(number, data={'amount': 1}))
        with Amps(self.node.uri, queue.name, WORKLOAD_ADDRESS='http://127.0.0.1:%d' % self.start(
                EXAMPLES / 'workload.py', WORK_SECONDS='2')) as amps:
            wait_until(lambda: amps.is_listening() and amps.get('/jobs').body.count('"running"') == 5,
                       what='running')
            self.process.send_signal(signal.SIGTERM)
            self.assertEqual(self.process.wait(20), 0)
            self.assertEqual(amps.metric(acknowledged), 5)
            self.assertEqual(amps.stop(), 0)
        queue.wait_count(0)

    def test_javascript(self):
        javascript.require()
        receipts = self.queue(name='receipts')
        self.check(self.start('node', EXAMPLES / 'workload.js', NODE_PATH=str(javascript.MODULES)),
                   WORKLOAD_CONTENT_TYPE='application/cloudevents+json', **SYNC)
        receipts.wait_count(19)
        self.assertIn('booked', json.loads(receipts.take()[1])['data'])

    def test_go(self):
        self.need('go')
        unformatted = subprocess.run(['gofmt', '-l', EXAMPLES], capture_output=True, check=True)
        self.assertEqual(unformatted.stdout, b'')
        program = os.path.join(self._folder.name, 'workload-go')
        subprocess.run(['go', 'build', '-o', program, EXAMPLES / 'workload.go'], check=True,
                       env={**os.environ, 'GOCACHE': os.path.join(self._folder.name, 'cache')})
        self.check(self.start(program))

    def test_c(self):
        self.need('cc')
        flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'libsoup-3.0', 'json-glib-1.0'],
                               text=True, capture_output=True, check=True).stdout.split()
        # The libraries have to come behind what needs them.
        program = os.path.join(self._folder.name, 'workload-c')
        subprocess.run(['cc', '-Wall', '-Wextra', '-Werror', EXAMPLES / 'workload.c', '-o', program,
                        *flags], check=True)
        self.check(self.start(program), **SYNC)

    def test_shell(self):
        self.need('socat')
        self.check(self.start(EXAMPLES / 'workload.sh'), **SYNC)


class Readme(unittest.TestCase):
    """What README.md shows works as it stands there, but for the ports."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.text = (TREE / 'README.md').read_text(encoding='utf-8')

    def block(self, language, holding):
        """The block of code in a language that holds a text."""
        found = [block for block in re.findall(rf'```{language}\n(.*?)```', self.text, re.DOTALL)
                 if holding in block]
        self.assertEqual(len(found), 1)
        return found[0]

    def replace(self, text, old, new):
        """Replaces what stands there once."""
        self.assertEqual(text.count(old), 1, text)
        return text.replace(old, str(new))

    def start_worker(self):
        """Starts the worker; returns its port and the file that it prints to."""
        port = free_port()
        code = self.replace(self.block('python', 'do_POST'), '5050', port)
        output = pathlib.Path(self.folder, 'output')
        with output.open('wb') as stdout:
            process = subprocess.Popen([sys.executable, '-c', code], stdout=stdout, cwd=self.folder)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return port, output

    def run_commands(self, commands, **environment):
        """Runs lines of a shell, which find ampsctl; returns what they print."""
        programs = pathlib.Path(self.folder, 'bin')
        programs.mkdir()
        (programs / 'ampsctl').symlink_to(shutil.which(ampsctl.BINARY))
        environment['PATH'] = f'{programs}:{os.environ["PATH"]}'
        return subprocess.run(['sh', '-euc', commands], text=True, capture_output=True, check=True,
                              cwd=self.folder,
                              env={**os.environ, 'no_proxy': 'localhost', **environment}).stdout

    def test_worker(self):
        """It prints what stands there: each job is done once, and a bad one kept."""
        self.assertIsNotNone(shutil.which('curl'))
        port, output = self.start_worker()
        broker = f'sqlite://{self.folder}/queue.db'
        with Amps(broker, 'mail', **SHORT,
                  WORKLOAD_ADDRESS=f'http://127.0.0.1:{port}').wait_ready() as amps:
            commands = self.replace(self.block('sh', 'curl'), 'localhost:4000', f'localhost:{amps.port}')
            letters = self.run_commands(self.replace(commands, 'curl -sS', 'curl -fsS'),
                                        BROKER_HOST=broker, BROKER_SUBJECT='mail')
            said = output.read_text(encoding='utf-8') + letters
            times = re.compile(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d')
            self.assertEqual(times.sub('TIME', said),
                             times.sub('TIME', self.block('text', 'done')))
            for outcome, count in (('acknowledged', 2), ('rejected', 1), ('retried', 0)):
                self.assertEqual(amps.metric(f'amps_job_outcomes_total{{outcome="{outcome}"}}'), count)
            self.assertEqual(amps.metric('amps_jobs_in_flight'), 0)
            self.assertEqual(amps.stop(), 0)

    def test_figures(self):
        """They are those of docs/performance.md."""
        measured = (TREE / 'docs' / 'performance.md').read_text(encoding='utf-8')
        figures = re.findall(r'^\| [^|]* (\| [\d,]+ \| \d+ µs \|.*)$', self.text, re.MULTILINE)
        self.assertEqual(len(figures), 6)
        for figure in figures:
            self.assertIn(figure, measured)


if __name__ == '__main__':
    unittest.main()
