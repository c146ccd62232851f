# SPDX-License-Identifier: MIT
"""Settings and logs of an AMPS that runs."""

import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from amps import BINARY, Amps
from broker import BrokerTest, event
from rabbitmq_node import free_port
from workload import Workload

LOGS = pathlib.Path(__file__).parents[2] / 'docs/reference/logs.md'


class Settings(BrokerTest):
    """See docs/reference/configuration.md."""

    def test_settings_are_logged_once_without_secrets(self):
        with Amps(f'amqp://user:hunter2@127.0.0.1:{free_port()}', 'jobs', API_TOKEN='hunter2',
                  SENTRY_DSN='https://hunter2@127.0.0.1/1', MAX_CONCURRENCY=7) as amps:
            amps.wait_log('AMPS 0')
            amps.stop()
            lines = [line for line in amps.log.splitlines() if 'MAX_CONCURRENCY=7' in line]
            self.assertEqual(len(lines), 1)
            for text in ('BROKER_HOST=amqp://user:***@127.0.0.1', 'API_TOKEN=***', 'SENTRY_DSN=***',
                         'JOB_TIMEOUT=2m', 'BROKER_SUBJECT=jobs'):
                self.assertIn(text, lines[0])
            self.assertNotIn('hunter2', amps.log)

    def test_addresses_as_they_may_be_written(self):
        queue = self.queue()
        with Workload(lambda _: 202) as workload, \
                Amps(self.node.uri.replace('amqp://', 'AMQP://'), queue.name, workload,
                     WORKLOAD_ADDRESS=workload.address.replace('http', 'HTTP'),
                     API_URL='http://amps.example:8080/api') as amps:
            amps.wait_ready()
            queue.publish(event('a'))
            workload.wait(1)
            self.assertEqual(workload.posts[0].headers['Amps-Api'], 'http://amps.example:8080/api')
            self.assertEqual(amps.get('/health/detailed').json['config']['api_url'],
                             'http://amps.example:8080/api')

    def test_misspelt_names_are_warned_of(self):
        with Amps(self.node.uri, 'q', MAX_CONCURENCY='hunter2').wait_listening() as amps:
            warnings = [json.loads(line) for line in amps.log.splitlines()]
            self.assertTrue(any(line['level'] == 'warning' and 'MAX_CONCURENCY' in line['message']
                                and 'MAX_CONCURRENCY?' in line['message'] for line in warnings))
            self.assertNotIn('hunter2', amps.log)

    def test_what_kubernetes_injects_is_ignored_with_a_warning(self):
        with Amps(self.node.uri, 'q', METRICS_ENABLED=False,
                  METRICS_PORT='tcp://10.0.0.1:9090').wait_listening() as amps:
            warnings = [json.loads(line) for line in amps.log.splitlines()]
            self.assertTrue(any(line['level'] == 'warning' and 'METRICS_PORT=tcp://10.0.0.1:9090'
                                in line['message'] for line in warnings))


class Logs(unittest.TestCase):
    """LOG_FORMAT and DEBUG."""

    def start(self, stderr, **settings):
        """Starts an AMPS on a queue in memory."""
        process = subprocess.Popen(
            [BINARY], cwd='/', stderr=stderr, text=True,
            env={'BROKER_HOST': 'sqlite::memory:', 'BROKER_SUBJECT': 'jobs',
                 'PORT': str(free_port()), 'METRICS_ENABLED': 'false',
                 'WORKLOAD_ADDRESS': f'http://127.0.0.1:{free_port()}', **settings})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def run_amps(self, **settings):
        """Starts one, ends it when it is there, and returns what it said."""
        process = self.start(subprocess.PIPE, **settings)
        lines = []
        with process.stderr:
            for line in process.stderr:
                lines.append(line)
                if 'Broker connected' in line:
                    process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 0)
        return lines

    def assert_json(self, lines):
        """One object a line, each with these members."""
        self.assertGreater(len(lines), 3)
        for line in lines:
            entry = json.loads(line)
            self.assertRegex(entry['ts'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')
            self.assertIn(entry['level'], ('debug', 'info', 'notice', 'warning'))
            self.assertTrue(entry['message'])

    def assert_text(self, lines):
        """A time, a level and words."""
        for line in lines:
            self.assertTrue(re.match(r'^\d{4}-\d\d-\d\dT[\d:.]+Z (debug|info|notice|warning) +\S',
                                     line), line)

    def test_json_where_there_is_no_terminal(self):
        self.assert_json(self.run_amps())
        self.assert_json(self.run_amps(LOG_FORMAT='json'))

    def test_journal_that_is_not_there(self):
        if os.path.exists('/run/systemd/journal/socket'):
            self.skipTest('there is a journal here')
        self.assert_json(self.run_amps(LOG_FORMAT='journal'))

    def test_journal(self):
        """A real socket stands in for the journal's, in a namespace of its own."""
        if os.geteuid() != 0 or shutil.which('unshare') is None:
            self.skipTest('only root may mount')
        with tempfile.TemporaryDirectory(prefix='amps-journal-') as folder, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal, \
                Workload(lambda _: 202) as workload:
            journal.bind(os.path.join(folder, 'socket'))
            journal.settimeout(20)
            mount = ('mount -t tmpfs none /run && mkdir -p /run/systemd/journal && '
                     'mount --bind "$0" /run/systemd/journal && exec "$@"')
            with Amps('sqlite::memory:', 'jobs', workload, LOG_FORMAT='journal',
                      command=['unshare', '--mount', 'sh', '-c', mount, folder]) as amps:
                amps.wait_ready().post('/publish', event('a', type='jobs'))
                fields = {}
                while fields.get('AMPS_JOB_ID') != 'a':
                    fields = dict(line.split('=', 1) for line in
                                  journal.recv(65536).decode().splitlines() if '=' in line)
                self.assertEqual(amps.log, '')
        self.assertEqual(fields['PRIORITY'], '7')
        self.assertEqual(fields['GLIB_DOMAIN'], 'amps')
        self.assertTrue(fields['MESSAGE'])
        self.assertTrue(fields['CODE_FUNC'])
        self.assertEqual(fields['AMPS_QUEUE'], 'jobs')
        # The ids that people search by are those of the manual.
        self.assertIn(f"| `{fields['AMPS_EVENT']}` | debug | `{fields['MESSAGE_ID']}` |",
                      LOGS.read_text(encoding='utf-8'))

    def test_text(self):
        self.assert_text(self.run_amps(LOG_FORMAT='text'))

    def test_text_on_a_terminal(self):
        master, terminal = pty.openpty()
        self.addCleanup(os.close, master)
        process = self.start(terminal)
        os.close(terminal)
        said = b''
        while b'Broker connected' not in said:
            said += os.read(master, 4096)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 0)
        lines = said.decode().splitlines()
        self.assert_text(lines)
        # What was set has a line of its own, and none is too long to be read.
        self.assertTrue(any(line.endswith(' BROKER_SUBJECT=jobs') for line in lines), lines)
        self.assertTrue(any(' MAX_CONCURRENCY=100' in line for line in lines), lines)
        for line in lines:
            if '=' in line and '://' not in line:
                self.assertLess(len(line), 110, line)

    def test_debug(self):
        self.assertNotIn('"level":"debug"', ''.join(self.run_amps()))
        with Workload() as workload, tempfile.TemporaryDirectory() as folder, \
                Amps(f'sqlite://{folder}/queue.db', 'jobs', workload, DEBUG=True) as amps:
            amps.wait_ready()
            self.assertEqual(amps.post('/publish', event('mine', type='jobs', data='secret body'))
                             .status, 202)
            workload.wait(1)
            amps.stop()
            debug = [json.loads(line) for line in amps.log.splitlines()
                     if '"level":"debug"' in line]
            self.assertTrue(any(line.get('job_id') == 'mine' for line in debug))
            # What GLib says to its own authors is none of the user's business.
            self.assertFalse([line for line in debug if 'domain' in line])
            self.assertNotIn('secret body', amps.log)


if __name__ == '__main__':
    unittest.main()
