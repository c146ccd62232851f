# SPDX-License-Identifier: MIT
"""Queues that somebody deletes while AMPS runs."""

import threading
import time
import unittest

from amps import Amps, wait_until
from broker import QUEUE_TYPES, BrokerTest, event
from workload import Workload


class DeletedQueue(BrokerTest):
    """Nothing is settled but what is meant, and AMPS finds back by itself."""

    def test_subject_is_deleted_while_paused(self):
        for queue_type in QUEUE_TYPES:
            queue = self.queue(queue_type)
            with Workload(lambda _: 202) as workload, \
                    Amps(self.node.uri, queue.name, workload).wait_ready() as amps:
                for number in range(3):
                    queue.publish(event(f'old{number}'))
                old = workload.wait(3)[:3]
                self.assertEqual(amps.post('/pause').status, 200)
                time.sleep(.5)  # A consumer that is still there would be told.
                queue.delete()
                self.assertEqual(amps.post('/resume').status, 200)
                wait_until(lambda: 'does not exist' in amps.get('/readyz').body, what='its loss')
                queue.declare()
                for number in range(3):
                    queue.publish(event(f'new{number}'))
                workload.wait(6)
                # Their deliveries have the numbers that those of the others had.
                self.assertEqual([post.acknowledge() for post in old], [202] * 3)
                wait_until(lambda: amps.get('/jobs').json['count'] == 3, what='three jobs')
                amps.process.kill()
            queue.wait_count(3)

    def test_retry_queue_is_deleted(self):
        queue, answered = self.queue(), threading.Event()
        answered.set()

        def answer(_):
            answered.wait(20)
            return 429, {'Retry-After': '1'}, b''

        with Workload(answer) as workload, Amps(self.node.uri, queue.name, workload):
            queue.publish(event('a'))
            workload.wait(1)
            answered.clear()
            count = len(workload.wait(2))
            queue.channel().queue_delete(f'{queue.name}.retry.1s')
            answered.set()
            workload.wait(count + 2)
            # The job of the first copy came back without it; the next one went there.
            queue.channel().queue_declare(f'{queue.name}.retry.1s', passive=True)


if __name__ == '__main__':
    unittest.main()
