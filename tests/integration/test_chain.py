# SPDX-License-Identifier: MIT
"""The example of a chain: docs/examples/chain.sh."""

import os
import pathlib
import signal
import sqlite3
import subprocess
import tempfile
import unittest
import urllib.request

from amps import BINARY, wait_until
from broker import event
from rabbitmq_node import free_port

EXAMPLE = pathlib.Path(__file__).parents[2] / 'docs/examples/chain.sh'


class Chain(unittest.TestCase):
    """Two AMPS and two workloads share a file."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, 'queue.db')

    def start(self):
        """Starts the example, and returns its process and the port of the first AMPS."""
        port = free_port(6)
        process = subprocess.Popen(
            [EXAMPLE, self.path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            start_new_session=True, env={**os.environ, 'PORT': str(port), 'PATH': ':'.join(
                [os.path.dirname(BINARY), os.environ['PATH']])})
        self.addCleanup(process.stdout.close)
        self.addCleanup(self.kill, process)
        return process, port

    def kill(self, process):
        """Ends all that the example has left."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()

    def order(self, port, number):
        """Publishes an order as the example says; returns whether it was confirmed."""
        request = urllib.request.Request(
            f'http://127.0.0.1:{port}/publish',
            event(number, type='orders', data={'amount': number}),
            {'Content-Type': 'application/cloudevents+json'})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status == 202
        except OSError:
            return False

    def read(self, process, count):
        """The invoices that are sent."""
        return {process.stdout.readline() for _ in range(count)}

    def rows(self):
        """How many jobs are in the file."""
        database = sqlite3.connect(self.path, timeout=10)
        try:
            return database.execute('SELECT count(*) FROM jobs').fetchone()[0]
        finally:
            database.close()

    def test_orders_become_invoices(self):
        process, port = self.start()
        for number in range(20):
            wait_until(lambda number=number: self.order(port, number), what='a confirmation')
        self.assertEqual(self.read(process, 20),
                         {f'order {number}: {number * 7} EUR\n' for number in range(20)})
        wait_until(lambda: self.rows() == 0, what='an empty file')
        process.terminate()
        process.wait(20)
        self.assertEqual(process.stdout.read(), '')


if __name__ == '__main__':
    unittest.main()
