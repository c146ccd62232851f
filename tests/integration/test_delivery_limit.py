# SPDX-License-Identifier: MIT
"""Quorum queues drop a message that was taken back 20 times: of RabbitMQ 4.0 all do."""

import concurrent.futures
import signal
import time
import unittest

from amps import Amps, wait_until
from broker import BrokerTest, event
from proxy import Proxy
from workload import Workload

LIMIT = 20
TIMES = 30


class DeliveryLimit(BrokerTest):
    """No fault of the job, so none of the limit's business."""

    def limited_queue(self):
        """A queue with the limit, by default or told so."""
        major = int(self.node.control('version').split('.')[0])
        return self.queue(**({} if major >= 4 else {'x_delivery_limit': LIMIT}))

    def test_that_there_is_a_limit(self):
        queue = self.limited_queue()
        queue.publish(event('a'))
        for _ in range(LIMIT + 1):
            method = wait_until(lambda: queue.channel().basic_get(queue.name)[0], what='it')
            queue.channel().basic_nack(method.delivery_tag)
        queue.wait_count(0)

    def test_job_that_is_given_back_often(self):
        """By ends of AMPS, asked for and not, and by ends of its connection; at once."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for future in [pool.submit(self.ended, self.limited_queue(), signal.SIGTERM),
                           pool.submit(self.ended, self.limited_queue(), signal.SIGKILL),
                           pool.submit(self.detached, self.limited_queue())]:
                future.result()

    def ended(self, queue, how):
        """Whoever runs the job ends before the job does."""
        queue.publish(event('a'))
        with Workload(lambda _: 202) as workload:
            for count in range(1, TIMES + 1):
                with Amps(self.node.uri, queue.name, workload, DRAIN_TIMEOUT='50ms') as amps:
                    workload.wait(count)
                    self.assertEqual(amps.stop(how), 0 if how == signal.SIGTERM else -how)
        with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
            post = workload.wait(1)[0]
            self.assertEqual(post.headers['Amps-Attempt'], '1')
            self.assertEqual(post.headers['Amps-Redelivered'], 'true')
            # A kill may come between the copy that stands in for a worn-out message and the
            # message's own acknowledgement: there are two then, and both are to be done.
            wait_until(lambda: queue.count() == amps.metric('amps_jobs_in_flight') == 0,
                       what='having no jobs')
            amps.stop()
            self.assertEqual({each.id for each in workload.posts}, {'a'})
            if how == signal.SIGTERM:
                self.assertEqual(len(workload.posts), 1)
        queue.wait_count(0)

    def detached(self, queue):
        """The job runs all the time; its connection is lost again and again."""
        proxy = Proxy(self.node.port)
        # So that it need not wait longer and longer before it connects again.
        uris = ','.join([f'amqp://guest:guest@127.0.0.1:{proxy.port}'] * 100)
        queue.publish(event('a'))
        with Workload(lambda _: 202) as workload, Amps(uris, queue.name, workload) as amps:
            workload.wait(1)
            for count in range(1, TIMES + 1):
                proxy.cut()
                wait_until(lambda count=count: amps.log.count('is attached') >= count,
                           what=f'being attached {count} times')
            # A cut may have come before a copy was confirmed: then there are two of them.
            amps.wait_ready()
            queue.wait_count(0)
            time.sleep(0.5)
            self.assertEqual(workload.posts[0].acknowledge(), 202)
            amps.stop()
            self.assertEqual(len(workload.posts), 1)
        queue.wait_count(0)


if __name__ == '__main__':
    unittest.main()
