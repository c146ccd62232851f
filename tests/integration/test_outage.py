# SPDX-License-Identifier: MIT
"""The broker goes away, in all its ways, and AMPS goes on by itself."""

import collections
import concurrent.futures
import json
import socket
import tempfile
import threading
import time
import unittest

from amps import Amps, wait_until
from broker import QUEUE_TYPES, BrokerTest, event
from proxy import Proxy
from rabbitmq_node import free_port
from workload import Workload


class Outage(BrokerTest):
    """Nothing is lost or doubled while the broker is away."""

    def hold(self):
        """A workload that takes jobs and acknowledges when told, and the telling."""
        go = threading.Event()
        statuses = []

        def answer(post):
            def later():
                go.wait(60)
                statuses.append(post.acknowledge())
            threading.Thread(target=later, daemon=True).start()
            return 202

        return Workload(answer), go, statuses

    def test_broker_away_at_start(self):
        port = free_port()
        with Workload() as workload, \
                Amps(f'amqp://127.0.0.1:{port}', 'jobs', workload).wait_listening() as amps:
            reason = f"can't connect to 127.0.0.1:{port}: connection refused"
            wait_until(lambda: amps.get('/readyz').json['details'] == reason, what='the reason')
            self.assertEqual(amps.get('/readyz').status, 503)
            self.assertEqual(amps.get('/healthz').status, 200)
            # A warning, once, however often it is tried.
            wait_until(lambda: amps.log.count('No connection to publish') > 3, what='more tries')
            self.assertEqual(self.lines(amps, 'warning'), [f'Broker disconnected: {reason}'])
            answer = amps.post('/publish', event('x'))
            self.assertEqual(answer.status, 503)
            self.assertIn('Retry-After', answer.headers)

    @staticmethod
    def lines(amps, level):
        """What it has logged of the broker, in that level."""
        lines = [json.loads(line) for line in amps.log.splitlines()]
        return [line['message'] for line in lines
                if line['level'] == level and line['message'].startswith('Broker ')]

    def test_what_the_log_says_of_connections(self):
        proxy, queue = Proxy(self.node.port), self.queue()
        uri = f'amqp://guest:guest@127.0.0.1:{proxy.port}'
        with Workload() as workload, Amps(uri, queue.name, workload).wait_ready() as amps:
            for path in ('/pause', '/resume'):
                self.assertEqual(amps.post(path).status, 200)
            amps.wait_ready()
            expected = ['Broker connected', 'Broker consuming', 'Broker consuming']
            self.assertEqual(self.lines(amps, 'info'), expected)
            self.assertEqual(self.lines(amps, 'warning'), [])
            proxy.cut()
            wait_until(lambda: self.lines(amps, 'info') == [*expected, *expected[:2]],
                       what='being there again')
            # The connection to publish may be found broken first.
            warnings = [line for line in self.lines(amps, 'warning')
                        if 'no connection to publish' not in line]
            self.assertEqual(len(warnings), 1)
            self.assertNotIn('socket error', amps.log)

    def test_names_and_peers_that_are_none(self):
        """Each has its reason, and none of them “a socket error occurred”."""
        def hang_up():
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return

        listener = socket.create_server(('127.0.0.1', 0))
        threading.Thread(target=hang_up, daemon=True).start()
        port = listener.getsockname()[1]
        for uri, reasons in (
                ('amqp://no-such-host.invalid', ('no such host', 'looked up for now')),
                (f'amqp://127.0.0.1:{port}', ('has closed the connection', 'has broken the'))):
            with Workload() as workload, Amps(uri, 'q', workload).wait_listening() as amps:
                wait_until(lambda amps=amps, reasons=reasons: any(
                    reason in amps.get('/readyz').body for reason in reasons), what='the reason')
                self.assertEqual(len(self.lines(amps, 'warning')), 1)
                self.assertNotIn('socket error', amps.log)
        listener.close()

    def test_five_cuts_in_ten_seconds(self):
        """Each connection was a good one, so that the next one comes at once."""
        proxy, queue = Proxy(self.node.port), self.queue()
        uri = f'amqp://guest:guest@127.0.0.1:{proxy.port}'
        with Workload() as workload, Amps(uri, queue.name, workload).wait_ready() as amps:
            for number in range(5):
                before = len(proxy.accepted)
                began = time.monotonic()
                proxy.cut()
                wait_until(lambda before=before: len(proxy.accepted) >= before + 2,
                           what='two connections')
                for time_of_one in proxy.accepted[before:before + 2]:
                    self.assertLess(time_of_one - began, 0.5)
                queue.publish(event(number))
                workload.wait(number + 1)
                amps.wait_ready()
                self.assertEqual(amps.post('/publish', event('p', type=queue.name)).status, 202)
                workload.wait(number + 1)
                time.sleep(max(0, began + 2 - time.monotonic()))

    def test_queue_missing_then_declared(self):
        with Workload() as workload, \
                Amps(self.node.uri, 'late', workload).wait_listening() as amps:
            wait_until(lambda: 'QUEUE_DECLARE' in amps.get('/readyz').body, what='the way out')
            queue = self.queue(name='late')
            queue.publish(event('a'))
            workload.wait(1)
            self.assertTrue(amps.wait_ready())

    def test_declares_what_is_missing(self):
        with Workload() as workload, \
                Amps(self.node.uri, 'declared', workload, QUEUE_DECLARE='auto').wait_ready() as amps:
            self.assertEqual(amps.post('/publish', event('a', type='declared')).status, 202)
            workload.wait(1)
            self.assertEqual(amps.post('/publish', event('b', type='declared.dead')).status, 202)

    def test_killed_and_restarted_with_jobs_running(self):
        for queue_type in QUEUE_TYPES:
            queue = self.queue(queue_type)
            for number in range(10):
                queue.publish(event(number))
            workload, go, statuses = self.hold()
            with workload, Amps(self.node.uri, queue.name, workload) as amps:
                workload.wait(10)
                self.node.let_queues_settle()
                self.node.stop()
                wait_until(lambda: amps.get('/readyz').status == 503, what='not being ready')
                self.assertEqual(amps.get('/healthz').status, 200)
                go.set()
                wait_until(lambda: len(statuses) == 10, what='all acknowledgements')
                self.assertEqual(set(statuses), {202})
                self.node.start()
                self.node.wait_until_ready()
                amps.wait_ready(60)
                wait_until(lambda: amps.log.count('had ended') == 10, 60, 'all being settled again')
                amps.stop()
                self.assertEqual(len(workload.posts), 10)
                queue.wait_count(0)

    def assert_found(self, proxy, amps, seconds):
        """A connection that is dead without a word is found so soon, and made again."""
        began = time.monotonic()
        wait_until(lambda: amps.get('/readyz').status == 503, 2 * seconds, 'being found')
        self.assertLess(time.monotonic() - began, seconds)
        self.assertEqual(amps.get('/healthz').status, 200)
        proxy.resume()
        amps.wait_ready()

    def test_silent_connections_are_found(self):
        """Stalled, or half open: the broker is gone and nobody says so."""
        for silence in (Proxy.stall, Proxy.lose_far_side):
            proxy, queue = Proxy(self.node.port), self.queue()
            uri = f'amqp://guest:guest@127.0.0.1:{proxy.port}?heartbeat=2'
            with Workload() as workload, Amps(uri, queue.name, workload).wait_ready() as amps:
                silence(proxy)
                self.assert_found(proxy, amps, 2 * 2 + 1)
                queue.publish(event('a'))
                workload.wait(1)

    def test_send_that_hangs_is_found(self):
        """The library counts no heartbeats while it sends."""
        proxy, queue, other = Proxy(self.node.port), self.queue(), self.queue()
        uri = f'amqp://guest:guest@127.0.0.1:{proxy.port}?heartbeat=10'
        with Workload() as workload, \
                Amps(uri, queue.name, workload).wait_ready() as amps, \
                concurrent.futures.ThreadPoolExecutor() as pool:
            time.sleep(3)
            proxy.stall()
            began = time.monotonic()
            large = event('large', type=other.name, data='x' * 15 * 1024 * 1024)
            posts = [pool.submit(amps.post, '/publish', large) for _ in range(2)]
            for post in posts:
                self.assertEqual(post.result().status, 503)
                self.assertIn('Retry-After', post.result().headers)
            self.assertLess(time.monotonic() - began, 15)
            amps.wait_log('No connection to publish', 15)
            # From the send, which begins when AMPS has read the event.
            self.assertLess(time.monotonic() - began, 2 * 10 + 4)
            proxy.resume()
            wait_until(lambda: amps.post('/publish', event('p', type=other.name)).status == 202,
                       30, 'publishing again')
            queue.publish(event('a'))
            workload.wait(1)

    def test_several_uris_in_turn(self):
        queue = self.queue()
        first, second = Proxy(self.node.port), Proxy(self.node.port)
        uris = [f'amqp://127.0.0.1:{free_port()}'] + [
            f'amqp://guest:guest@127.0.0.1:{proxy.port}' for proxy in (first, second)]
        with Workload() as workload, Amps(','.join(uris), queue.name, workload) as amps:
            queue.publish(event('a'))
            workload.wait(1)
            first.close()
            queue.publish(event('b'))
            workload.wait(2)
            amps.wait_ready()
            self.assertEqual(amps.post('/publish', event('c', type=queue.name)).status, 202)
            workload.wait(3)

    def test_password_that_was_changed(self):
        self.node.control('add_user', 'app', 'old-secret')
        self.node.control('set_permissions', 'app', '.*', '.*', '.*')
        uri = self.node.uri.replace('guest:guest', 'app:%s')
        queue = self.queue()
        with tempfile.NamedTemporaryFile('w+', prefix='amps-secret-') as secret, \
                Workload() as workload:
            secret.write(uri % 'old-secret' + '\n')
            secret.flush()
            with Amps('', queue.name, workload, BROKER_HOST_FILE=secret.name).wait_ready() as amps:
                self.node.control('change_password', 'app', 'new-secret')
                self.node.control('close_all_connections', 'test')
                wait_until(lambda: 'app' in amps.get('/readyz').body, what='being refused')
                secret.seek(0)
                secret.write(uri % 'new-secret' + '\n')
                secret.flush()
                amps.wait_ready()
                queue.publish(event('a'))
                workload.wait(1)
                self.assertNotIn('-secret', amps.log + amps.get('/health/detailed').body)

    def test_memory_alarm(self):
        queue, other = self.queue(), self.queue()
        for number in range(3):
            queue.publish(event(number))
        workload, go, statuses = self.hold()
        with workload, Amps(self.node.uri, queue.name, workload).wait_ready() as amps:
            workload.wait(3)
            self.node.control('set_vm_memory_high_watermark', '0.00001')
            try:
                answers = collections.Counter()
                began = time.monotonic()
                while not answers[503] and time.monotonic() - began < 20:
                    answer = amps.post('/publish', event('p', type=other.name))
                    answers[answer.status] += 1
                self.assertEqual(answers[503], 1)
                self.assertIn('Retry-After', answer.headers)
                go.set()
                wait_until(lambda: statuses == [202] * 3, what='acknowledgements in the alarm')
                self.assertEqual(amps.get('/jobs').json['jobs'], [])
            finally:
                self.node.control('set_vm_memory_high_watermark', '0.6')
            wait_until(lambda: amps.post('/publish', event('p', type=other.name)).status == 202,
                       30, 'publishing again')
            amps.stop()
            queue.wait_count(0)

    def test_wrong_password_is_said_and_not_shown(self):
        with Workload() as workload, \
                Amps(f'amqp://guest:hunter2@127.0.0.1:{self.node.port}', 'q', workload) as amps:
            amps.wait_listening()
            wait_until(lambda: all(word in amps.get('/readyz').body for word in (
                f'127.0.0.1:{self.node.port}', 'guest', 'ACCESS_REFUSED')), what='the reason')
            time.sleep(3)
            self.assertEqual(len(self.lines(amps, 'warning')), 1)
            self.assertIn('ACCESS_REFUSED', self.lines(amps, 'warning')[0])
            self.assertNotIn('hunter2', amps.log + amps.get('/health/detailed').body)
            self.assertIsNone(amps.process.poll())

    def test_listener_that_never_answers(self):
        with socket.create_server(('127.0.0.1', 0)) as silent, Workload() as workload:
            uri = (f'amqp://127.0.0.1:{silent.getsockname()[1]}?connection_timeout=1000,'
                   f'{self.node.uri}')
            queue = self.queue()
            queue.publish(event('a'))
            with Amps(uri, queue.name, workload):
                workload.wait(1)


if __name__ == '__main__':
    unittest.main()
