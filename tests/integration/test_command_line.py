# SPDX-License-Identifier: MIT
"""Options, settings and their errors, as a user meets them."""

import os
import socket
import subprocess
import tempfile
import unittest

from amps import BINARY

BAD = {
    'BROKER_HOST': 'http://user:hunter2@host',
    'BROKER_TYPE': 'nats',
    'QUEUE_DECLARE': 'always',
    'QUEUE_TYPE': 'stream',
    'MAX_CONCURRENCY': '0',
    'JOB_TIMEOUT': '2',
    'HEARTBEAT_TIMEOUT': '-1s',
    'WORKLOAD_ADDRESS': 'localhost:5050',
    'WORKLOAD_RESPONSE_TIMEOUT': 'soon',
    'WORKLOAD_MODE': 'batch',
    'WORKLOAD_BATCH_SIZE': '0',
    'WORKLOAD_BATCH_WAIT': '5',
    'WORKLOAD_READY_PATH': 'ready',
    'MAX_ATTEMPTS': 'many',
    'RETRY_MIN_BACKOFF': '1',
    'RETRY_MAX_BACKOFF': 'x',
    'DEAD_LETTER_QUEUE': 'q' * 256,
    'DRAIN_TIMEOUT': 'x',
    'PORT': '65536',
    'METRICS_ENABLED': 'yes',
    'METRICS_PORT': '-1',
    'API_TOKEN_FILE': '/no/such/file',
    'API_ALLOW_REMOTE': 'maybe',
    'MAX_BODY_SIZE': '16 MiB',
    'LOG_FORMAT': 'xml',
    'DEBUG': 'maybe',
}


def run(*arguments, **variables):
    """Runs AMPS in an empty folder until it ends."""
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run([BINARY, *arguments], env={'PATH': os.environ['PATH'], **variables},
                              cwd=folder, capture_output=True, text=True, timeout=20, check=False)


class CommandLine(unittest.TestCase):
    """Contract, section 2."""

    def test_all_errors_in_one_go(self):
        ended = run(**BAD)
        self.assertEqual(ended.returncode, 78)
        lines = ended.stderr.splitlines()
        for name in BAD:
            self.assertTrue(any(name in line for line in lines), name)
        self.assertIn('BROKER_SUBJECT', ended.stderr)
        self.assertNotIn('hunter2', ended.stderr + ended.stdout)

    def test_each_error_alone(self):
        for name, value in BAD.items():
            ended = run('--check-config', BROKER_SUBJECT='jobs', **{name: value})
            self.assertEqual(ended.returncode, 78, name)
            self.assertIn(name, ended.stderr)

    def test_check_config_shows_no_secret(self):
        ended = run('--check-config', '--max-concurrency=7', BROKER_SUBJECT='jobs',
                    BROKER_HOST='amqp://user:hunter2@host/v', API_TOKEN='hunter2')
        self.assertEqual(ended.returncode, 0)
        self.assertIn('MAX_CONCURRENCY=7', ended.stdout)
        self.assertIn('user:***@host', ended.stdout)
        self.assertNotIn('hunter2', ended.stdout + ended.stderr)

    def test_version_and_help(self):
        self.assertRegex(run('--version').stdout, r'^amps \d+\.\d+')
        text = run('--help').stdout
        for name in BAD:
            self.assertIn('--' + name.lower().replace('_', '-'), text)
        self.assertEqual(run('--no-such-option').returncode, 78)

    def test_port_in_use(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            ended = run(BROKER_SUBJECT='jobs', PORT=str(taken.getsockname()[1]),
                        METRICS_ENABLED='false')
            self.assertNotEqual(ended.returncode, 0)
            self.assertIn('PORT', ended.stderr)


if __name__ == '__main__':
    unittest.main()
