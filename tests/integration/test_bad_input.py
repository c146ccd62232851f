# SPDX-License-Identifier: MIT
"""What is not an event, and what is not HTTP."""

import socket
import time
import unittest

from amps import Amps, wait_until
from broker import EMBEDDED, BrokerTest, event
from workload import Workload

# A message and what the reason must speak of.
MALFORMED = [
    (b'', 'JSON'),
    (b'{oops', 'JSON'),
    (b'[]', 'object'),
    (b'{"id":"1","source":"/s","type":"t"}', 'specversion'),
    (event('1', specversion='0.3'), 'specversion'),
    (event(''), 'id'),
    (event('1', source='a b'), 'source'),
    (event('1', type=''), 'type'),
    (event('1', Bad='x'), 'Bad'),
    (event('1', bad={}), 'bad'),
    (event('1', data=1, data_base64=''), 'data_base64'),
    (event('1', time='yesterday'), 'time'),
    (event('1').replace(b'"1"', b'"\xff"'), 'UTF-8'),
    (event('1')[:-1] + b',"data":' + b'[' * 100000 + b']' * 100000 + b'}', 'deep'),
    (event('1', data='x' * 20 * 1024 * 1024), 'MAX_BODY_SIZE'),
]


class BadInput(BrokerTest):
    """Nothing of this reaches the workload, and nothing of it ends AMPS."""

    configuration = 'max_message_size = 134217728\n'

    def test_malformed_events_are_rejected_with_their_reason(self):
        queue, dead = self.queue_with_dead_letters()
        for body, _ in MALFORMED:
            queue.publish(body)
        queue.publish(event('good'))
        with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
            wait_until(lambda: amps.metric('amps_job_outcomes_total{outcome="malformed"}')
                       == len(MALFORMED), what='all being rejected')
            self.assertEqual([post.id for post in workload.wait(1)], ['good'])
            lines = [line for line in amps.log.splitlines() if 'not a CloudEvent' in line]
            self.assertEqual(len(lines), len(MALFORMED))
            for line, (_, reason) in zip(lines, MALFORMED):
                self.assertIn(reason, line)
            amps.stop()
        dead.wait_count(len(MALFORMED))
        self.assertEqual(queue.count(), 0)

    def test_malformed_events_are_copied_with_their_reason(self):
        dead, queue = self.queue(), self.queue()
        for body, _ in MALFORMED:
            queue.publish(body, message_id='kept')
        with Workload() as workload, \
                Amps(self.node.uri, queue.name, workload, DEAD_LETTER_QUEUE=dead.name):
            for _ in MALFORMED:
                properties, body = dead.take()
                reason = next(reason for message, reason in MALFORMED if message == body)
                self.assertEqual(properties.headers['x-amps-reason'], 'malformed')
                self.assertIn(reason, properties.headers['x-amps-detail'])
                self.assertEqual(properties.message_id, None if EMBEDDED else 'kept')
            self.assertEqual(workload.posts, [])

    def test_dead_letters_may_be_larger_than_what_is_taken(self):
        """Up to 128 MiB, which is all that RabbitMQ takes."""
        dead, queue = self.queue('classic'), self.queue('classic')
        body = event('huge', data='x' * (128 * 1024 * 1024 - 200))
        queue.publish(body)
        queue.publish(event('good'))
        with Workload() as workload, \
                Amps(self.node.uri, queue.name, workload, DEAD_LETTER_QUEUE=dead.name) as amps:
            self.assertEqual(workload.wait(1, timeout=60)[0].id, 'good')
            properties, copy = dead.take(60)
            self.assertTrue(copy == body)
            self.assertIn('MAX_BODY_SIZE', properties.headers['x-amps-detail'])
            self.assertEqual(amps.stop(), 0)
        queue.wait_count(0)

    def test_the_port_survives_what_is_thrown_at_it(self):
        queue = self.queue()
        with Workload() as workload, \
                Amps(self.node.uri, queue.name, workload).wait_ready() as amps:
            self.garbage(amps)
            slow = [socket.create_connection(('127.0.0.1', amps.port)) for _ in range(50)]
            for connection in slow:
                connection.sendall(b'POST /acknowledge HTTP/1.1\r\nHost: x\r\nContent-Len')
            self.assertEqual(amps.post('/acknowledge', '[' * 100000 + ']' * 100000).status, 400)
            self.assertEqual(amps.post('/acknowledge', '\udcff'.encode('utf-8', 'surrogateescape'))
                             .status, 400)
            self.too_large(amps)
            queue.publish(event('good'))
            workload.wait(1)
            self.assertTrue(amps.is_ready())
            for connection in slow:
                connection.close()

    def garbage(self, amps):
        """Sends what is no HTTP."""
        for text in (b'\x00' * 1000, b'GET\r\n\r\n', b'\xff\xfe GET / HTTP/1.1\r\n\r\n',
                     b'POST /publish HTTP/1.1\r\nContent-Length: -1\r\n\r\n',
                     b'A' * 200000):
            with socket.create_connection(('127.0.0.1', amps.port)) as connection:
                try:
                    connection.sendall(text)
                except OSError:
                    pass

    def too_large(self, amps):
        """Announces more than is allowed: answered before it is sent."""
        with socket.create_connection(('127.0.0.1', amps.port)) as connection:
            connection.sendall(b'POST /publish HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n'
                               % (20 * 1024 * 1024))
            connection.settimeout(5)
            began = time.monotonic()
            self.assertIn(b' 413 ', connection.recv(4096))
            self.assertLess(time.monotonic() - began, 2)


if __name__ == '__main__':
    unittest.main()
