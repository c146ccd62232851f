# SPDX-License-Identifier: MIT
"""Options, settings and their errors, as a user meets them."""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import unittest

from amps import BINARY, Amps, wait_until

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
    'API_URL': 'http://host/',
    'METRICS_ENABLED': 'yes',
    'METRICS_PORT': '-1',
    'API_TOKEN_FILE': '/no/such/file',
    'API_ALLOW_REMOTE': 'maybe',
    'MAX_BODY_SIZE': '16 MiB',
    'LOG_FORMAT': 'xml',
    'DEBUG': 'maybe',
}


def run(*arguments, dotenv=None, **variables):
    """Runs AMPS until it ends, in a folder with nothing but perhaps a `.env`."""
    with tempfile.TemporaryDirectory() as folder:
        if dotenv is not None:
            pathlib.Path(folder, '.env').write_text(dotenv, encoding='ascii')
        return subprocess.run([BINARY, *arguments], env={'PATH': os.environ['PATH'], **variables},
                              cwd=folder, capture_output=True, text=True, timeout=20, check=False)


class CommandLine(unittest.TestCase):
    """Options, `--help`, and what is wrong with them."""

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

    def test_what_a_backend_makes_no_sense_of(self):
        for uri, what in (('amqp://u:hunter2@h?heartbeat=hunter2', 'heartbeat'),
                          ('amqp://h?connection_timeout=-1', 'connection_timeout'),
                          ('amqp://h?verify=maybe', 'verify'),
                          ('amqp://h?auth_mechanism=kerberos', 'auth_mechanism'),
                          ('amqp://h/a/b', 'slash'),
                          ('amqp://u:hunter2%zz@h', '%XX'),
                          ('amqp://good,amqp://bad?heartbeat=x', 'heartbeat'),
                          ('sqlite:relative.db', 'absolute'),
                          ('sqlite:///q.db?lease=x', 'lease'),
                          ('sqlite:///q.db?hunter2=1', 'parameters')):
            # In one go with all the others.
            ended = run(BROKER_SUBJECT='jobs', BROKER_HOST=uri, PORT='x')
            self.assertEqual(ended.returncode, 78, uri)
            lines = ended.stderr.splitlines()
            self.assertEqual(len(lines), 2, lines)
            self.assertTrue(any('BROKER_HOST=' in line and what in line for line in lines), lines)
            self.assertNotIn('hunter2', ended.stderr)

    def test_passwords_that_were_not_encoded(self):
        # Each could be read so that half of the password is the host.
        for password in ('Tr0ub4dor@TailOfSecret', '5672/TailOfSecret', '5672?TailOfSecret',
                         '5672#TailOfSecret', 'TailOfSecret%zz', 'Tail[OfSecret', 'Tail OfSecret'):
            for setting in ({'BROKER_HOST': f'amqp://app:{password}@127.0.0.1:5672'},
                            {'BROKER_DSN': f'amqp://a,AMQP://app:{password}@[::1]/v'},
                            {'WORKLOAD_ADDRESS': f'http://app:{password}@127.0.0.1:5050'},
                            {'SENTRY_DSN': f'https://app:{password}@sentry.example/1'}):
                for arguments in ((), ('--check-config',)):
                    ended = run(*arguments, BROKER_SUBJECT='jobs', **setting)
                    self.assertEqual(ended.returncode, 78, setting)
                    self.assertIn(next(iter(setting)) + '=', ended.stderr)
                    self.assertEqual(ended.stdout, '')
                    for part in ('Tail', 'Secret', 'Tr0u'):
                        self.assertNotIn(part, ended.stderr)

    def test_secret_in_place_of_its_file(self):
        for name in ('API_TOKEN_FILE', 'BROKER_HOST_FILE', 'WORKLOAD_ADDRESS_FILE'):
            ended = run(BROKER_SUBJECT='jobs', **{name: 'amqp://user:hunter2@host'})
            self.assertEqual(ended.returncode, 78)
            self.assertIn(name, ended.stderr)
            self.assertNotIn('hunter2', ended.stderr)

    def test_ports(self):
        for name, value in (('BROKER_HOST', 'amqp://127.0.0.1:0'), ('BROKER_HOST', 'amqps://h:65536'),
                            ('BROKER_HOST', 'amqp://[::1]:0/v'), ('PORT', '0'), ('METRICS_PORT', '0'),
                            ('WORKLOAD_ADDRESS', 'http://h:0'), ('API_URL', 'http://h:0'),
                            ('WORKLOAD_ADDRESS', 'https://h:65536')):
            ended = run(BROKER_SUBJECT='jobs', **{name: value})
            self.assertEqual(ended.returncode, 78, value)
            self.assertIn(name, ended.stderr)
            self.assertIn('from 1 to 65535', ended.stderr)

    def test_schemes_in_capitals(self):
        ended = run('--check-config', BROKER_SUBJECT='jobs', BROKER_HOST='AMQP://h,AmqpS://g',
                    WORKLOAD_ADDRESS='HTTP://h', API_URL='Https://h')
        self.assertEqual((ended.returncode, ended.stderr), (0, ''))
        for line in ('BROKER_HOST=amqp://h,amqps://g', 'BROKER_TYPE=amqp',
                     'WORKLOAD_ADDRESS=http://h', 'API_URL=https://h'):
            self.assertIn(line, ended.stdout.splitlines())

    def test_misspelt_names(self):
        ended = run('--check-config', BROKER_SUBJECT='jobs', MAX_CONCURENCY='hunter2',
                    BROKER_URL='x', METRICS_SERVICE_HOST='10.0.0.1', BROKER_SUBJECT_FILE='/x',
                    dotenv='DEADLETTER_QUEUE=hunter2\nBROKER_URL=hunter2\nREDIS_URL=x\n')
        self.assertEqual(ended.returncode, 0)
        self.assertIn('MAX_CONCURRENCY=100', ended.stdout)
        lines = ended.stderr.splitlines()
        self.assertEqual(len(lines), 4, lines)
        for wrong, right in (('MAX_CONCURENCY in the environment', 'MAX_CONCURRENCY'),
                             ('BROKER_SUBJECT_FILE in the environment', 'BROKER_SUBJECT'),
                             ('DEADLETTER_QUEUE in .env', 'DEAD_LETTER_QUEUE'),
                             ('BROKER_URL in .env', 'BROKER_HOST')):
            self.assertTrue(any(wrong in line and right in line.replace(wrong, '')
                                for line in lines), wrong)
        self.assertNotIn('hunter2', ended.stderr)

    def test_misspelt_options(self):
        for arguments, expected in ((('--max-concurency=hunter2',), 'mean --max-concurrency?'),
                                    (('--api-tokn', 'hunter2'), 'mean --api-token?'),
                                    (('amqp://user:hunter2@host',), '--help')):
            ended = run(*arguments, BROKER_SUBJECT='jobs')
            self.assertEqual(ended.returncode, 78)
            self.assertIn(expected, ended.stderr)
            self.assertNotIn('hunter2', ended.stderr)

    def test_check_config_shows_no_secret(self):
        ended = run('--check-config', '--max-concurrency=7', BROKER_SUBJECT='jobs',
                    BROKER_HOST='amqp://user:hunter2@host/v', API_TOKEN='hunter2')
        self.assertEqual(ended.returncode, 0)
        self.assertIn('MAX_CONCURRENCY=7', ended.stdout)
        self.assertIn('user:***@host', ended.stdout)
        self.assertNotIn('hunter2', ended.stdout + ended.stderr)

    def test_dotenv_then_environment_then_options(self):
        ended = run('--check-config', '--max-concurrency=3',
                    dotenv='BROKER_SUBJECT=jobs\nMAX_CONCURRENCY=1\nPORT=4321\nDEBUG=true\n',
                    MAX_CONCURRENCY='2', PORT='5432', DEBUG='')
        self.assertEqual((ended.returncode, ended.stderr), (0, ''))
        for line in ('BROKER_SUBJECT=jobs', 'MAX_CONCURRENCY=3', 'PORT=5432', 'DEBUG=true'):
            self.assertIn(line, ended.stdout.splitlines())

        ended = run('--check-config', dotenv='BROKER_SUBJECT=jobs\nhunter2\nPORT=x\n')
        self.assertEqual(ended.returncode, 78)
        self.assertIn('line 2', ended.stderr)
        self.assertIn('PORT=x', ended.stderr)
        self.assertNotIn('hunter2', ended.stderr)

    def test_version_and_help(self):
        self.assertRegex(run('--version').stdout, r'^amps \d+\.\d+')
        text = run('--help').stdout
        self.assertIn('at least once', text)
        self.assertTrue(text.endswith('\n'))
        for name in BAD:
            self.assertIn('--' + name.lower().replace('_', '-'), text)
        for wrong in ('--no-such-option', 'argument', '--max-concurrency'):
            ended = run(wrong)
            self.assertEqual(ended.returncode, 78, wrong)
            self.assertIn(wrong, ended.stderr)

    def test_port_in_use(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            ended = run(BROKER_SUBJECT='jobs', PORT=str(taken.getsockname()[1]),
                        METRICS_ENABLED='false')
            self.assertNotEqual(ended.returncode, 0)
            self.assertIn('PORT', ended.stderr)

    def test_limit_of_open_files(self):
        with Amps('amqp://127.0.0.1:9', 'jobs',
                  command=('prlimit', '--nofile=200:1325')) as amps:
            self.assertEqual(amps.metric('process_max_fds'), 1325)
            self.assertNotIn('ulimit', amps.log)
        with Amps('amqp://127.0.0.1:9', 'jobs', command=('prlimit', '--nofile=200:1324')) as amps:
            amps.wait_log('ulimit -Hn')


class Language(unittest.TestCase):
    """What is said to the user, and what is logged."""

    GERMAN = {'LC_ALL': 'C.UTF-8', 'LANGUAGE': 'de',
              'AMPS_LOCALEDIR': os.path.join(os.environ['AMPS_BUILD'], 'po')}

    def setUp(self):
        # The C library of Debian 13 translates nothing in C.UTF-8.
        if '--port=WERT' not in run('--help', **self.GERMAN).stdout:
            self.skipTest('there is no locale here but C')

    def test_settings_are_spoken_of_in_german(self):
        ended = run(**self.GERMAN, **BAD)
        self.assertEqual(ended.returncode, 78)
        for line in ended.stderr.splitlines():
            self.assertRegex(line, r'(?i)muss|darf|braucht|erforderlich|kann nicht|verschieden')
            self.assertNotRegex(line, r'\b(must|the|be|is)\b')

    def test_log_and_api_are_english(self):
        # Messages of AMPS's own, of GLib and of the C library.
        with tempfile.NamedTemporaryFile('w', suffix='.token') as token:
            token.write('secret\n')
            token.flush()
            with Amps('amqp://127.0.0.1:9', 'jobs', API_TOKEN_FILE=token.name,
                      WORKLOAD_ADDRESS='http://127.0.0.1:9', **self.GERMAN) as amps:
                amps.wait_listening()
                wait_until(lambda: 'Could not connect' in amps.get('/readyz').body,
                           what='the refusal')
                self.assertRegex(amps.get('/readyz').body, 'Could not connect.*refused')
                os.truncate(token.name, 0)
                amps.process.send_signal(signal.SIGHUP)
                amps.wait_log('Kept the old secrets')
                self.assertIn('the file must contain one line of text', amps.log)


if __name__ == '__main__':
    unittest.main()
