# SPDX-License-Identifier: MIT
"""Signals that come as the process starts, and as it ends."""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import time
import unittest

from amps import BINARY, wait_until
from rabbitmq_node import free_port

HANDLED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
SECONDS = 0.02
STARTS = 100


def has_begun(pid):
    """Whether the program has come to its first instructions."""
    text = pathlib.Path(f'/proc/{pid}/status').read_text(encoding='ascii')
    masks = dict(line.split(':\t') for line in text.splitlines() if line.startswith('Sig'))
    wanted = 1 << (signal.SIGTERM - 1)
    return (int(masks['SigBlk'], 16) | int(masks['SigCgt'], 16)) & wanted


def first_of(pid):
    """The first process of a container, once it runs AMPS."""
    children = pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text(encoding='ascii').split()
    if not children:
        return None
    command = pathlib.Path(f'/proc/{children[0]}/cmdline').read_bytes().split(b'\0')[0]
    return int(children[0]) if command == BINARY.encode() else None


class Signals(unittest.TestCase):
    """They end the process in order, whenever they come."""

    def start(self, command=(), held=()):
        """A process whose starter holds some signals back."""
        process = subprocess.Popen(
            [*command, BINARY], cwd='/', stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, held),
            env={'BROKER_HOST': 'sqlite::memory:', 'BROKER_SUBJECT': 'jobs', 'LOG_FORMAT': 'json',
                 'PORT': str(free_port()), 'METRICS_ENABLED': 'false', 'DRAIN_TIMEOUT': '2s',
                 'WORKLOAD_ADDRESS': 'http://127.0.0.1:9'})
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def assert_ends(self, process):
        """It has not been killed by the signal, nor failed."""
        _, log = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, log)

    def test_from_the_first_instruction_on(self):
        for number in range(STARTS):
            process = self.start()
            wait_until(lambda process=process: has_begun(process.pid), what='a start')
            if number % 2:
                process.send_signal(signal.SIGHUP)
            time.sleep(random.uniform(0, SECONDS))
            process.send_signal(signal.SIGTERM if number % 3 else signal.SIGINT)
            self.assert_ends(process)

    def test_starter_that_holds_them_back(self):
        """So one can come as early as the process is there."""
        for _ in range(STARTS):
            process = self.start(held=HANDLED)
            time.sleep(random.uniform(0, SECONDS))
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            self.assert_ends(process)

    def test_first_process_of_a_container(self):
        """To it the kernel sends only what it handles, or holds back."""
        if os.geteuid() != 0 or shutil.which('unshare') is None:
            self.skipTest('only root may make a process the first one')
        for _ in range(STARTS // 5):
            process = self.start(['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'])
            pid = wait_until(lambda process=process: first_of(process.pid), what='a process')
            wait_until(lambda pid=pid: has_begun(pid), what='a start')
            time.sleep(random.uniform(0, SECONDS))
            os.kill(pid, signal.SIGTERM)
            self.assert_ends(process)

    def test_as_it_ends(self):
        """A second one finds a process that is about to be gone."""
        for _ in range(STARTS // 5):
            process = self.start()
            wait_until(lambda process=process: has_begun(process.pid), what='a start')
            end = time.monotonic() + 5
            while process.poll() is None and time.monotonic() < end:
                process.send_signal(signal.SIGTERM)
                time.sleep(0.001)
            self.assert_ends(process)


if __name__ == '__main__':
    unittest.main()
