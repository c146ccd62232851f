# SPDX-License-Identifier: MIT
"""Ends of the process, asked for or not."""

import signal
import subprocess
import threading
import time
import unittest

from amps import Amps, wait_until
from broker import QUEUE_TYPES, BrokerTest, amqp_only, event
from proxy import Proxy
from workload import Workload


class Shutdown(BrokerTest):
    """SIGTERM: what runs may end, the rest is given back."""

    lease = '2s'

    def started(self, count=3, answer=lambda _: 202, **settings):
        """An AMPS with so many jobs in the workload."""
        queue, workload = self.queue(), Workload(answer)
        self.addCleanup(workload.stop)
        for number in range(count):
            queue.publish(event(number))
        amps = Amps(self.node.uri, queue.name, workload, **settings)
        self.addCleanup(amps.__exit__)
        workload.wait(count)
        wait_until(lambda: amps.get('/jobs').body.count('"running"') == count, what='running')
        return queue, workload, amps

    def test_jobs_in_flight_finish(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            queue, workload, amps = self.started()
            timer = threading.Timer(1, lambda posts: [post.acknowledge() for post in posts],
                                    [workload.posts])
            timer.start()
            began = time.monotonic()
            self.assertEqual(amps.stop(how), 0)
            self.assertLess(time.monotonic() - began, 5)
            self.assertNotIn('Connection lost', amps.log)
            queue.wait_count(0)

    def test_api_stays_open_and_nothing_new_is_taken(self):
        queue, workload, amps = self.started(1)
        amps.process.send_signal(signal.SIGTERM)
        amps.wait_log('Draining')
        queue.publish(event('new'))
        self.assertEqual(amps.get('/readyz').status, 503)
        self.assertEqual(workload.posts[0].acknowledge(), 202)
        self.assertEqual(amps.process.wait(10), 0)
        queue.wait_count(1)
        self.assertEqual(len(workload.posts), 1)

    def test_those_that_do_not_finish_are_given_back(self):
        queue, _, amps = self.started(DRAIN_TIMEOUT='1s')
        self.assertEqual(amps.stop(), 0)
        queue.wait_count(3)

    def test_second_signal_gives_back_at_once(self):
        queue, _, amps = self.started()
        amps.process.send_signal(signal.SIGTERM)
        amps.wait_log('Draining')
        self.assertEqual(amps.stop(timeout=5), 0)
        queue.wait_count(3)

    def test_workload_that_has_gone(self):
        queue, workload, amps = self.started()
        workload.stop()
        began = time.monotonic()
        self.assertEqual(amps.stop(), 0)
        self.assertLess(time.monotonic() - began, 10)
        queue.wait_count(3)

    def test_what_waits_is_given_back_at_once(self):
        queue = self.queue()
        for number in range(5):
            queue.publish(event(number))
        with Workload(lambda _: 500) as workload, \
                Amps(self.node.uri, queue.name, workload, RETRY_MIN_BACKOFF='900ms',
                     RETRY_MAX_BACKOFF='900ms') as amps:
            workload.wait(5)
            began = time.monotonic()
            self.assertEqual(amps.stop(), 0)
            self.assertLess(time.monotonic() - began, 5)

    def test_all_come_back_after_a_kill(self):
        for queue_type in QUEUE_TYPES:
            queue = self.queue(queue_type)
            for number in range(3):
                queue.publish(event(number))
            with Workload(lambda _: 202) as workload, \
                    Amps(self.node.uri, queue.name, workload) as amps:
                workload.wait(3)
                amps.stop(signal.SIGKILL)
            queue.wait_count(3)
            with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
                posts = workload.wait(3)
                self.assertEqual({post.headers['Amps-Redelivered'] for post in posts}, {'true'})
                amps.stop()
            queue.wait_count(0)

    @amqp_only
    def test_while_it_connects_again(self):
        proxy, queue = Proxy(self.node.port), self.queue()
        uris = ','.join([f'amqp://guest:guest@127.0.0.1:{proxy.port}'] * 9)
        with Workload() as workload:
            # At some of these moments one connection is being made, and the other waits.
            for delay in range(60, 420, 40):
                with Amps(uris, queue.name, workload).wait_ready() as amps:
                    proxy.stall()
                    proxy.cut()
                    time.sleep(delay / 1000)
                    amps.process.send_signal(signal.SIGTERM)
                    amps.wait_log('Stopping')
                    time.sleep(0.2)
                    proxy.resume()
                    self.assertEqual(amps.process.wait(10), 0)
                    self.assertNotIn('Not everything was written', amps.log)

    def test_as_process_1(self):
        command = ('unshare', '--pid', '--fork', '--kill-child')
        if subprocess.run([*command, 'true'], check=False, capture_output=True).returncode != 0:
            self.skipTest('no PID namespace may be made here')
        queue = self.queue()
        queue.publish(event('a'))
        with Workload(lambda _: 202) as workload, \
                Amps(self.node.uri, queue.name, workload, command) as amps:
            workload.wait(1)
            child = int(subprocess.check_output(
                ['pgrep', '--parent', str(amps.process.pid)]).split()[0])
            subprocess.run(['kill', '-TERM', str(child)], check=True)
            amps.wait_log('Draining')
            workload.posts[0].acknowledge()
            self.assertEqual(amps.process.wait(10), 0)
        queue.wait_count(0)


if __name__ == '__main__':
    unittest.main()
