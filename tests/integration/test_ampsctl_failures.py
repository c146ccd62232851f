# SPDX-License-Identifier: MIT
"""ampsctl where something is wrong."""

import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import ampsctl
from amps import Amps
from broker import event
from rabbitmq_node import free_port
from workload import Workload

SOURCE = pathlib.Path(__file__).resolve().parents[2]
USAGE, UNREACHABLE, OUTPUT, NOT_ALLOWED, SETTINGS = 64, 69, 74, 77, 78


class Failures(unittest.TestCase):
    """What is wrong is said, and nothing takes for ever."""

    def bad(self, status, said, *arguments, **settings):
        """Runs it; it must fail so."""
        result = ampsctl.call(*arguments, **settings)
        self.assertEqual(result.status, status, result)
        self.assertIn(said, result.errors)
        self.assertNotIn('hunter2', result.errors)
        return result

    def silent(self):
        """A port at which somebody listens and says nothing."""
        server = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(server.close)
        return server.getsockname()[1]

    def test_command_line(self):
        for arguments, said in (
                ([], 'the command is missing'), (['stauts'], 'did you mean “status”?'),
                (['frobnicate'], 'see “ampsctl help”'), (['--jsn', 'status'], 'mean --json?'),
                (['reject', '--reasn=hunter2', 'x'], 'did you mean --reason?'),
                (['status', '--frob=hunter2'], '“--frob” is not an option'),
                (['status', 'x'], 'usage: ampsctl status'), (['acknowledge'], 'ID…'),
                (['status', '--timeout=0'], '--timeout'), (['status', '--timeout=x'], 'duration'),
                (['status', '--url=ftp://x'], '--url must be'),
                (['status', '--url=http://a', '--bus'], 'give only one'),
                (['reject', 'x', '--delay=5m'], '--delay needs --reschedule'),
                (['help', 'stauts'], 'did you mean “status”?')):
            with self.subTest(arguments):
                self.bad(USAGE, said, *arguments)

    def test_image_without_locales(self):
        self.assertIn('“stauts”', ampsctl.call('stauts', LC_ALL='C').errors)

    def test_settings(self):
        self.bad(SETTINGS, 'PORT=x: ', 'status', PORT='x')
        self.bad(SETTINGS, 'API_TOKEN_FILE=', 'status', API_TOKEN_FILE='/nowhere')
        # Only AMPS itself reads these.
        self.bad(UNREACHABLE, 'there is no AMPS', 'status', PORT=free_port(), JOB_TIMEOUT='x')

    def test_help_and_version(self):
        self.assertRegex(ampsctl.call('--version').output, r'^ampsctl \d')
        overview = ampsctl.call('help').output
        self.assertEqual(ampsctl.call('--help').output, overview)
        for command in ('status', 'jobs', 'top', 'publish', 'drain', 'healthcheck'):
            self.assertIn(f'\n  {command}', overview)
            self.assertEqual(ampsctl.call('help', command).output,
                             ampsctl.call(command, '--help').output)

    def test_nobody_there(self):
        port = free_port()
        for command in (['status'], ['jobs'], ['top'], ['acknowledge', 'x'], ['pause'], ['drain'],
                        ['publish', '-']):
            self.bad(UNREACHABLE, 'there is no AMPS at http://127.0.0.1', *command, PORT=port,
                     text=event('a'))
        self.bad(1, 'there is no AMPS', 'healthcheck', PORT=port)

    def test_silence(self):
        """Each command ends in time."""
        port = self.silent()
        for command in (['status'], ['jobs'], ['top'], ['acknowledge', 'x'], ['pause'], ['drain'],
                        ['jobs', '--watch'], ['publish', '-']):
            with self.subTest(command):
                began = time.monotonic()
                self.bad(UNREACHABLE, 'does not answer', *command, '--timeout=300ms', PORT=port,
                         text=event('a'))
                self.assertLess(time.monotonic() - began, 10)
        self.bad(1, 'does not answer within 0.3 s', 'healthcheck', '--timeout=300ms', PORT=port)

    def test_signals(self):
        port = self.silent()
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            for command in (['status'], ['top'], ['publish', '/dev/zero'], ['drain', '--wait']):
                process = ampsctl.start(*command, PORT=port)
                time.sleep(0.3)
                process.send_signal(number)
                result = ampsctl.finish(process, 10)
                self.assertEqual((result.status, result.errors), (status, ''), command)

    def test_somebody_else(self):
        """Another server is not taken for AMPS."""
        with Workload(lambda _: (200, {}, b'<html>')) as other:
            for command in (['status'], ['jobs'], ['acknowledge', 'x'], ['pause']):
                self.bad(UNREACHABLE, 'is not AMPS', *command, PORT=other.port)
        with Workload(lambda _: (302, {'Location': 'http://127.0.0.1:1/'}, b'')) as other:
            self.bad(UNREACHABLE, 'is not AMPS', 'pause', PORT=other.port)

    def test_output(self):
        with open('/dev/full', 'wb') as full:
            result = ampsctl.finish(ampsctl.start('help', stdout=full))
            self.assertEqual(result.status, OUTPUT)
            self.assertIn('could not write: No space left', result.errors)
        process = ampsctl.start('help')
        process.stdout.close()
        process.stdout = None
        self.assertIn(ampsctl.finish(process).status, (0, -signal.SIGPIPE))


class Completion(unittest.TestCase):
    """Command lines in a real bash; the unit test ctl-completion looks for what is missing."""

    def complete(self, line):
        """What it offers for the last word."""
        script = (f'. {SOURCE}/data/completion/ampsctl.bash; COMP_WORDS=({line}); '
                  'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _ampsctl; echo "${COMPREPLY[@]}"')
        return subprocess.run(['bash', '-c', script], check=True, text=True, cwd=SOURCE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout.split()

    def test_bash(self):
        for line, offered in (
                ('ampsctl re', ['reject', 'resume']), ('ampsctl --json he', ['healthcheck',
                                                                            'heartbeat', 'help']),
                ('ampsctl reject --re', ['--reason=', '--reschedule']), ('ampsctl jobs --j',
                                                                         ['--json']),
                ('ampsctl publish LICEN', ['LICENSE']), ('ampsctl help dr', ['drain']),
                ('ampsctl acknowledge ""', [])):
            with self.subTest(line):
                self.assertEqual(self.complete(line), offered)


class Tokens(unittest.TestCase):
    """API_TOKEN, as amps has it."""

    def test_token(self):
        with tempfile.TemporaryDirectory() as folder, \
                Amps(f'sqlite://{folder}/queue.db', 'jobs', API_TOKEN='open-sesame') as amps:
            amps.wait_listening()
            path = pathlib.Path(folder, 'token')
            path.write_text('open-sesame\n', encoding='ascii')
            for settings, status in (({}, NOT_ALLOWED), ({'API_TOKEN': 'open'}, NOT_ALLOWED),
                                     ({'API_TOKEN': 'open-sesame'}, 0),
                                     ({'API_TOKEN_FILE': path}, 0)):
                result = ampsctl.call('jobs', PORT=amps.port, **settings)
                self.assertEqual(result.status, status, result)
            self.assertEqual(ampsctl.call('jobs', f'--api-token-file={path}',
                                          PORT=amps.port).status, 0)
            self.assertEqual(ampsctl.call('healthcheck', PORT=amps.port).status, 0)


if __name__ == '__main__':
    unittest.main()
