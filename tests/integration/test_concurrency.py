# SPDX-License-Identifier: MIT
"""MAX_CONCURRENCY: that it changes while jobs run, and that thousands may wait."""

import asyncio
import collections
import os
import subprocess
import threading
import time
import unittest

from amps import Amps, wait_until
from broker import QUEUE_TYPES, BrokerTest, event
from rabbitmq_node import free_port
from workload import Workload


def count_connections(port):
    """The clients' side of what is open, or closed by the server alone."""
    with open('/proc/net/tcp', encoding='ascii') as table:
        fields = [line.split() for line in table]
    return sum(line[2] == f'0100007F:{port:04X}' and line[3] in ('01', '08') for line in fields)


class Concurrency(BrokerTest):
    """Never more than MAX_CONCURRENCY, and no slot idle."""

    def wait_acknowledged(self, amps, count):
        """Waits until so many jobs have ended well."""
        wait_until(lambda: amps.metric('amps_job_outcomes_total{outcome="acknowledged"}') == count,
                   60, 'the end of all')

    def test_changes_under_load(self):
        for queue_type in QUEUE_TYPES:
            queue = self.queue(queue_type)
            queue.fill(event(number) for number in range(2000))

            def answer(_):
                time.sleep(0.01)
                return 200

            with Workload(answer) as workload:
                ended = subprocess.run(
                    [os.environ['CHANGE_CONCURRENCY'], self.node.uri, queue.name, workload.address,
                     '2000'], text=True, capture_output=True, timeout=120, check=False)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            changes, _, _, peak = ended.stdout.split()
            self.assertGreater(int(changes), 20)
            self.assertGreater(int(peak), 20)
            # AMPS's own count has been held against the limit all the time; this is the workload's.
            self.assertLessEqual(workload.peak, 40)
            counts = collections.Counter(post.id for post in workload.posts)
            self.assertEqual((len(counts), max(counts.values())), (2000, 1))
            self.assertEqual(queue.count(), 0)

    def test_thousands_wait_at_once_in_sync_mode(self):
        count = 3000
        port, posts, everybody = free_port(), [], threading.Event()

        async def serve(reader, writer):
            try:
                while head := await reader.readuntil(b'\r\n\r\n'):
                    length = int(head.lower().split(b'content-length:')[1].split(b'\r\n')[0])
                    posts.append(await reader.readexactly(length))
                    if len(posts) == count:
                        release.set()
                        everybody.set()
                    await release.wait()
                    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        async def main():
            nonlocal release
            release = asyncio.Event()
            server = await asyncio.start_server(serve, '127.0.0.1', port, backlog=4096)
            await server.serve_forever()

        release = None
        queue = self.queue()
        queue.fill(event(number) for number in range(count))
        threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
        with Amps(self.node.uri, queue.name, WORKLOAD_ADDRESS=f'http://127.0.0.1:{port}',
                  WORKLOAD_MODE='sync', MAX_CONCURRENCY=count, DEBUG='false') as amps:
            self.assertTrue(everybody.wait(60), f'{len(posts)} of {count} at once')
            self.wait_acknowledged(amps, count)
            self.assertEqual(len(set(posts)), count)
            self.assertEqual(amps.stop(), 0)
        self.assertEqual(queue.count(), 0)

    def test_each_answer_ends_its_connection(self):
        """So that others get their numbers while their contexts are busy."""
        count = 4000
        queue = self.queue()
        queue.fill(event(number) for number in range(count))

        def answer(_):
            time.sleep(0.3)
            return 200, {'Connection': 'close'}, b''

        with Workload(answer) as workload, \
                Amps(self.node.uri, queue.name, workload, WORKLOAD_MODE='sync',
                     MAX_CONCURRENCY=500, DEBUG='false') as amps:
            self.wait_acknowledged(amps, count)
            self.assertEqual(amps.stop(), 0)
            self.assertEqual(len(workload.posts), count)
        self.assertEqual(queue.count(), 0)

    def test_idle_connections_are_closed(self):
        """While slow jobs keep their own, which share sessions with those."""
        queue = self.queue()
        queue.fill(event(number) for number in range(300))
        slow = [f'{number}' for number in range(0, 300, 25)]
        go_on = threading.Event()

        def answer(post):
            if post.event['id'] in slow:
                go_on.wait(60)
            time.sleep(0.3)
            return 200

        with Workload(answer) as workload, \
                Amps(self.node.uri, queue.name, workload, WORKLOAD_MODE='sync',
                     MAX_CONCURRENCY=300, DEBUG='false') as amps:
            self.wait_acknowledged(amps, 300 - len(slow))
            self.assertGreater(count_connections(workload.port), 4 * len(slow))
            wait_until(lambda: count_connections(workload.port) == len(slow),
                       what='the end of all others')
            go_on.set()
            self.wait_acknowledged(amps, 300)
            self.assertEqual(amps.stop(), 0)
            self.assertEqual(len(workload.posts), 300)


if __name__ == '__main__':
    unittest.main()
