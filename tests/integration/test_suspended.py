# SPDX-License-Identifier: MIT
"""A process that stands still for longer than anybody waits for it, and then goes on."""

import os
import signal
import time
import unittest

from amps import Amps, wait_until
from broker import QUEUE_TYPES, BrokerTest, amqp_only, event
from workload import Workload

# Far more than two heartbeats, and in the long form more than RabbitMQ waits for a node.
SECONDS = int(os.environ.get('AMPS_TEST_SUSPENSION', '8'))
TYPES = QUEUE_TYPES if SECONDS >= 60 else ['quorum']
HEARTBEAT = 2


@amqp_only
class Suspended(BrokerTest):
    """Nothing is lost, and no job that runs is given to the workload again."""

    def assert_all_goes_on(self, queue, suspend, resume):
        """After a while in which one side stood still."""
        queue.publish(event('a'))
        queue.publish(event('b'))
        uri = f'{self.node.uri}?heartbeat={HEARTBEAT}'
        with Workload(lambda _: 202) as workload, \
                Amps(uri, queue.name, workload, RETRY_MIN_BACKOFF='1s') as amps:
            posts = {post.id: post for post in workload.wait(2)}
            amps.wait_ready()
            try:
                suspend(amps)
            finally:
                resume(amps)
            self.assertEqual(posts['a'].acknowledge(), 202)
            amps.wait_ready()
            self.assertEqual(posts['b'].acknowledge(), 202)
            queue.publish(event('new'))
            post, = workload.wait(3)[2:]
            self.assertEqual(post.id, 'new')
            self.assertEqual(post.acknowledge(), 202)
            wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end of all')
            self.assertGreaterEqual(amps.metric('amps_broker_reconnects_total'), 1)
            self.assertEqual(amps.stop(), 0)
            self.assertEqual(len(workload.posts), 3)
        queue.wait_count(0)

    def test_amps(self):
        def suspend(amps):
            amps.process.send_signal(signal.SIGSTOP)
            time.sleep(SECONDS)

        for queue_type in TYPES:
            self.assert_all_goes_on(self.queue(queue_type), suspend,
                                    lambda amps: amps.process.send_signal(signal.SIGCONT))

    def test_broker(self):
        def suspend(amps):
            self.node.suspend()
            end = time.monotonic() + SECONDS
            wait_until(lambda: amps.get('/readyz').status == 503, 2 * HEARTBEAT + 3, 'being found')
            while time.monotonic() < end:
                began = time.monotonic()
                answer = amps.post('/publish', event('lost', type='other'))
                self.assertEqual((answer.status, 'Retry-After' in answer.headers), (503, True))
                # As long as a confirm may take.
                self.assertLess(time.monotonic() - began, 12)
                began = time.monotonic()
                self.assertEqual(amps.get('/healthz').status, 200)
                self.assertLess(time.monotonic() - began, 2)
                time.sleep(0.5)

        for queue_type in TYPES:
            self.assert_all_goes_on(self.queue(queue_type), suspend, lambda _: self.node.resume())


if __name__ == '__main__':
    unittest.main()
