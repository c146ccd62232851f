# SPDX-License-Identifier: MIT
"""Queues that can't be consumed."""

import time
import unittest

from amps import Amps, wait_until
from broker import BrokerTest, event
from workload import Workload


class Subjects(BrokerTest):
    """Why is said in words, without one connection after another."""

    def assert_refused(self, amps, *texts):
        """That is said, and the connection stays."""
        amps.wait_listening()
        wait_until(lambda: all(text in amps.get('/readyz').body for text in texts),
                   what=f'{texts} in /readyz')
        time.sleep(3)
        self.assertTrue(all(text in amps.get('/readyz').body for text in texts))
        self.assertEqual(amps.get('/readyz').status, 503)
        self.assertEqual(amps.metric('amps_broker_reconnects_total'), 0)
        self.assertEqual(amps.metric('amps_broker_connected'), 1)

    def test_stream(self):
        for declare in ('passive', 'auto'):
            queue = self.queue('stream')
            queue.publish(event('a'))
            with Workload() as workload, \
                    Amps(self.node.uri, queue.name, workload, QUEUE_DECLARE=declare) as amps:
                self.assert_refused(amps, 'is a stream', 'quorum or classic')
                self.assertEqual(workload.posts, [])
                queue.delete()
                queue.type = 'quorum'
                queue.declare()
                queue.publish(event('b'))
                self.assertEqual(workload.wait(1)[0].id, 'b')
                amps.wait_ready()
                amps.stop()

    def test_exclusive_consumer(self):
        queue = self.queue('classic')
        channel = queue.channel()
        tag = channel.basic_consume(queue.name, lambda *_: None, exclusive=True)
        with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
            self.assert_refused(amps, queue.name, 'exclusive use')
            channel.basic_cancel(tag)
            amps.wait_ready()
            queue.publish(event('a'))
            workload.wait(1)

    def test_without_permission_to_read(self):
        queue = self.queue()
        uri = self.uri_of_user('reads-nothing', read='^$')
        queue.publish(event('a'))
        with Workload() as workload, Amps(uri, queue.name, workload) as amps:
            self.assert_refused(amps, queue.name, 'ACCESS_REFUSED')
            self.node.control('set_permissions', 'reads-nothing', '.*', '.*', '.*')
            workload.wait(1)
            amps.stop()

    def test_exclusive_consumer_that_comes_in_between(self):
        """A channel that has delivered is not used again, since it would number others alike."""
        queue = self.queue('classic')
        queue.publish(event('a'))
        with Workload(lambda _: 202) as workload, Amps(self.node.uri, queue.name, workload) as amps:
            job = workload.wait(1)[0]
            self.assertEqual(amps.post('/pause').status, 200)
            queue.wait_unconsumed()
            channel = queue.channel()
            tag = channel.basic_consume(queue.name, lambda *_: None, exclusive=True)
            self.assertEqual(amps.post('/resume').status, 200)
            wait_until(lambda: 'exclusive use' in amps.get('/readyz').body, what='the refusal')
            time.sleep(2)
            self.assertEqual(amps.metric('amps_broker_reconnects_total'), 1)
            channel.basic_cancel(tag)
            amps.wait_ready()
            self.assertEqual(job.acknowledge(), 202)
            amps.stop()
        queue.wait_count(0)


if __name__ == '__main__':
    unittest.main()
