# SPDX-License-Identifier: MIT
"""The demo, behind its set-up: what it shows, and that nothing of it is left."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from amps import BINARY, wait_until

DEMO = pathlib.Path(__file__).resolve().parents[2] / 'flatpak-free-container'


def is_alive(process):
    """Whether a process lives; zombies wait for whoever reaps orphans here."""
    try:
        return 'Z' not in pathlib.Path(f'/proc/{process}/stat').read_text().rsplit(')', 1)[1][:3]
    except OSError:
        return False


class Demo(unittest.TestCase):
    """The first of the two commands."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *arguments):
        """Starts the demo with a folder of the test's for its own folders."""
        process = subprocess.Popen(
            [sys.executable, DEMO / 'demo.py', '--amps', BINARY, *arguments],
            env={**os.environ, 'TMPDIR': str(self.folder)}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process

    def children(self):
        """Processes that run in the demo's folder."""
        found = []
        for entry in pathlib.Path('/proc').glob('[0-9]*/cwd'):
            try:
                if str(entry.readlink()).startswith(str(self.folder)):
                    found.append(int(entry.parent.name))
            except OSError:
                pass
        return found

    def assert_nothing_is_left(self, children):
        """Neither files nor processes."""
        self.assertTrue(children)
        wait_until(lambda: not any(is_alive(child) for child in children), what='their end')
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_jobs_flow(self):
        for broker in ('embedded', 'rabbitmq'):
            demo = self.start('--broker', broker, '--jobs', '50')
            said, children = [], []
            for line in demo.stdout:
                said.append(line)
                children += self.children() if 'Ready after' in line else []
            self.assertEqual(demo.wait(), 0, ''.join(said))
            self.assertIn('50 jobs published, 48 acknowledged, 2 rejected', ''.join(said))
            self.assertRegex(''.join(said), r'in flight \d+ .* 100 %')
            self.assert_nothing_is_left(children)

    def test_kept_to_play_with_until_it_is_interrupted(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            demo = self.start('--broker', 'embedded', '--jobs', '10', '--keep')
            children = []
            for line in demo.stdout:
                found = re.search(r'curl (http://\S+/health/detailed)', line)
                if found:
                    with urllib.request.urlopen(found[1], timeout=10) as answer:
                        self.assertEqual(answer.status, 200)
                if 'Press Ctrl-C' in line:
                    children = self.children()
                    demo.send_signal(how)
            self.assertEqual(demo.wait(), 130)
            self.assert_nothing_is_left(children)

    def test_interrupted_while_jobs_flow(self):
        demo = self.start('--broker', 'embedded', '--jobs', '5000')
        children = []
        for line in demo.stdout:
            if 'Ready after' in line:
                children = self.children()
                demo.send_signal(signal.SIGINT)
        self.assertEqual(demo.wait(), 130)
        self.assert_nothing_is_left(children)

    def test_says_why_it_failed(self):
        demo = self.start('--broker', 'embedded', '--jobs', '10')
        for line in demo.stdout:
            if 'Starting' in line:
                wait_until(self.children, what='its processes')
                wait_until(lambda: any(map(self.kill_amps, self.children())), what='AMPS')
                break
        said = demo.stdout.read()
        self.assertEqual(demo.wait(), 1, said)
        self.assertIn('The demo failed: amps ended with status -9', said)
        self.assertEqual(list(self.folder.iterdir()), [])

    @staticmethod
    def kill_amps(process):
        """Kills a process if it is AMPS."""
        try:
            if os.readlink(f'/proc/{process}/exe') != os.path.realpath(BINARY):
                return False
            os.kill(process, signal.SIGKILL)
        except OSError:
            return False
        return True


if __name__ == '__main__':
    unittest.main()
