# SPDX-License-Identifier: MIT
"""What is not an event, and what is not HTTP."""

import socket
import time
import unittest

from amps import Amps, wait_until
from broker import EMBEDDED, BrokerTest, event
from workload import Workload

# A message that can't be delivered, and what the reason must speak of.
MALFORMED = [
    (b'', 'JSON'),
    (b'{oops', 'JSON'),
    (b'[]', 'object'),
    (b'{"id":"1","source":"/s","type":"t"}', 'specversion'),
    (event('1', specversion='0.2'), 'specversion'),
    (event('1', specversion='2.0'), 'specversion'),
    (event(''), 'id'),
    (event('1', source=''), 'source'),
    (event('1', source=None), 'source'),
    (event('1', type=''), 'type'),
    (event('1', type={}), 'type'),
    (event('1')[:-1] + b',"id":"2"}', 'twice'),
    (event('1').replace(b'"1"', b'"\xff"'), 'UTF-8'),
    (event('1')[:-1] + b',"data":' + b'[' * 100000 + b']' * 100000 + b'}', 'deep'),
    (event('1', data='x' * 20 * 1024 * 1024), 'MAX_BODY_SIZE'),
]

# What can be delivered, though it breaks CloudEvents 1.0; and what a strict check says.
NONCONFORMING = [
    (event('version', specversion='0.3'), 'specversion'),
    (event('space', source='a b'), 'source'),
    (event('name', correlationId='x'), 'correlationId'),
    (event('object', bad={'a': [1.5]}), 'bad'),
    (event('list', tags=['a']), 'tags'),
    (event('float', ratio=1.50), 'ratio'),
    (event('both', data=1, data_base64=''), 'data_base64'),
    (event('time', time='yesterday'), 'time'),
    (event('type', datacontenttype='json'), 'datacontenttype'),
    (event('control', subject='a\n\u0000b'), 'subject'),
    (event('twice')[:-1] + b',"a":1,"a":2}', 'twice'),
    (event('same')[:-1] + b',"id":"same"}', 'twice'),
    (event('half', data='\ud83d'), 'escape'),
    (event('traced', traceparent='x\r\nEvil: 1'), 'traceparent'),
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

    def test_events_that_can_be_delivered_arrive_byte_for_byte(self):
        queue, dead = self.queue_with_dead_letters()
        with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
            for rounds in (1, 2):
                for body, _ in NONCONFORMING:
                    queue.publish(body)
                posts = workload.wait(rounds * len(NONCONFORMING))
                wait_until(lambda: amps.get('/jobs').json['count'] == 0, what='no job')
            self.assertCountEqual([post.body for post in posts],
                                  2 * [body for body, _ in NONCONFORMING])
            self.assertEqual([post for post in posts if 'traceparent' in post.headers
                              or 'Evil' in post.headers], [])
            self.assertEqual(amps.metric('amps_events_nonconforming_total'),
                             2 * len(NONCONFORMING))
            lines = [line for line in amps.log.splitlines() if 'breaks CloudEvents' in line]
            self.assertEqual(len(lines), 7)
            self.assertEqual(len([line for line in lines if 'correlationId' in line]), 1)
            amps.stop()
        self.assertEqual((queue.count(), dead.count()), (0, 0))

    def test_strict_validation(self):
        dead, queue = self.queue(), self.queue()
        for body, _ in NONCONFORMING:
            queue.publish(body)
        queue.publish(event('good'))
        with Workload() as workload, Amps(self.node.uri, queue.name, workload,
                                          DEAD_LETTER_QUEUE=dead.name,
                                          EVENT_VALIDATION='strict') as amps:
            self.assertEqual([post.id for post in workload.wait(1)], ['good'])
            for _ in NONCONFORMING:
                properties, body = dead.take()
                reason = next(reason for message, reason in NONCONFORMING if message == body)
                self.assertIn(reason, properties.headers['x-amps-detail'])
            answer = amps.post('/publish', event('1', type=dead.name, correlationId='x'))
            self.assertEqual(answer.status, 400)
            self.assertIn('correlationId', answer.json['detail'])
            self.assertEqual(amps.metric('amps_events_nonconforming_total'), 0)
            self.assertEqual(len(workload.posts), 1)

    def test_what_is_published_is_checked_by_the_same_setting(self):
        queue, target = self.queue(), self.queue()
        first = event('1', type=target.name, correlationId='x')
        second = event('2', type=target.name, tags=['a'])
        third = event('3', type=target.name, specversion='0.3')
        queue.publish(event('job'))
        queue.publish(event('sync'))
        with Workload(lambda post: 202 if post.id == 'job' else (
                200, {'Content-Type': 'application/cloudevents+json'}, third)) as workload, \
                Amps(self.node.uri, queue.name, workload, WORKLOAD_MODE='sync') as amps:
            workload.wait(2)
            self.assertEqual(amps.post('/publish', first).status, 202)
            self.assertEqual(amps.post('/acknowledge', b'{"identifier":"job","publish":[%s]}'
                                       % second).status, 202)
            self.assertCountEqual([target.take()[1] for _ in range(3)], [first, second, third])
            self.assertEqual(amps.metric('amps_events_nonconforming_total'), 3)

    def test_malformed_events_are_copied_with_their_reason(self):
        dead, queue = self.queue(), self.queue()
        for body, _ in MALFORMED:
            queue.publish(body, message_id='kept')
        with Workload() as workload, \
                Amps(self.node.uri, queue.name, workload, DEAD_LETTER_QUEUE=dead.name) as amps:
            for _ in MALFORMED:
                properties, body = dead.take()
                reason = next(reason for message, reason in MALFORMED if message == body)
                self.assertEqual(properties.headers['x-amps-reason'], 'malformed')
                self.assertIn(reason, properties.headers['x-amps-detail'])
                self.assertEqual(properties.message_id, None if EMBEDDED else 'kept')
            self.assertEqual(workload.posts, [])
            lines = [line for line in amps.log.splitlines() if 'not a CloudEvent' in line]
            self.assertEqual(len(lines), len(MALFORMED))
            for number, line in enumerate(lines, 1):
                self.assertIn(f'number {number} since' if EMBEDDED else '“kept”', line)
                self.assertIn(f'dead-letter queue “{dead.name}”', line)

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
                connection.sendall(b'POST /acknowledge HTTP/1.1\r\nHost: localhost\r\nContent-Len')
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
            connection.sendall(b'POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n'
                               % (20 * 1024 * 1024))
            connection.settimeout(5)
            began = time.monotonic()
            self.assertIn(b' 413 ', connection.recv(4096))
            self.assertLess(time.monotonic() - began, 2)


if __name__ == '__main__':
    unittest.main()
