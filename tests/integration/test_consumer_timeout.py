# SPDX-License-Identifier: MIT
"""RabbitMQ takes messages back that are held too long. It looks once a minute."""

import unittest

from amps import Amps, wait_until
from broker import QUEUE_TYPES, BrokerTest, event
from workload import Workload


class ConsumerTimeout(BrokerTest):
    """RabbitMQ takes back what is settled too late."""

    configuration = 'consumer_timeout = 5000\n'

    def test_jobs_go_on_and_are_attached(self):
        queues = [self.queue(queue_type) for queue_type in QUEUE_TYPES]
        workloads = [Workload(lambda _: 202) for _ in queues]
        amps = [Amps(self.node.uri, queue.name, workload, JOB_TIMEOUT='31m')
                for queue, workload in zip(queues, workloads)]
        try:
            for queue, workload in zip(queues, workloads):
                queue.publish(event('long'))
                workload.wait(1)
            for queue, workload, one in zip(queues, workloads, amps):
                self.assertIn('consumer_timeout', one.log)
                wait_until(lambda one=one: 'is attached' in one.log, 150, 'being attached')
                self.assertEqual(workload.posts[0].acknowledge(), 202)
                self.assertEqual(one.stop(), 0)
                self.assertEqual(len(workload.posts), 1)
                queue.wait_count(0)
        finally:
            for one, workload in zip(amps, workloads):
                one.__exit__()
                workload.stop()


if __name__ == '__main__':
    unittest.main()
