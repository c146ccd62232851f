# SPDX-License-Identifier: MIT
"""Events in AMQP's binary mode: what each of its types becomes."""

import datetime
import decimal
import unittest

from amps import Amps, wait_until
from broker import BrokerTest
from workload import Workload

MAY = datetime.datetime(2024, 5, 1, 12)

# A value of a header as pika encodes it, and what is in the event.
KEPT = {
    'text': ('über', 'über'),
    'number': ('42', '42'),
    'time': (MAY, '2024-05-01T12:00:00Z'),
    'epoch': (datetime.datetime(1970, 1, 1), '1970-01-01T00:00:00Z'),
    'yes': (True, True),
    'no': (False, False),
    'short': (-7, -7),
    'long': (2**31 - 1, 2**31 - 1),
    'longlong': (2**40, 2**40),
    'bytes': (b'text', 'text'),
    'subject': (None, None),
}

# What has no form in an event. pika has no fractions but decimal ones.
REFUSED = {
    'ratio': decimal.Decimal('1.25'),
    'tags': ['a', 'b'],
    'map': {'k': 'v'},
    'bin': b'\xff\xfe',
    'id': 7,
    'type': True,
}


def headers(prefix='cloudEvents:', **attributes):
    """Headers of a whole event, some of them changed."""
    return {prefix + name: value for name, value in
            {'specversion': '1.0', 'id': '1', 'source': '/s', 'type': 't', **attributes}.items()}


class BinaryMode(BrokerTest):
    """A value arrives as what it is, or the message is malformed; it is never another value."""

    def test_values_that_are_kept(self):
        queue = self.queue()
        for name, (value, _) in KEPT.items():
            queue.publish(b'{"n": 1.50}', headers(id=name, **{name: value}),
                          content_type='application/json')
        with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
            posts = {post.id: post for post in workload.wait(len(KEPT))}
            for name, (_, expected) in KEPT.items():
                with self.subTest(name):
                    self.assertEqual(posts[name].event.get(name), expected)
                    self.assertIs(type(posts[name].event.get(name)), type(expected))
                    self.assertIn(b'"data":{"n": 1.50}', posts[name].body)
            self.assertNotIn('subject', posts['subject'].event)
            # Only the integer of 64 bits is more than CloudEvents allows.
            self.assertEqual(amps.metric('amps_events_nonconforming_total'), 1)

    def test_values_that_have_no_form(self):
        for validation in ('lenient', 'strict'):
            dead, queue = self.queue(), self.queue()
            for name, value in REFUSED.items():
                queue.publish(b'the body of ' + name.encode(),
                              headers(**{'id': '1', name: value}), message_id=name)
            with Workload() as workload, \
                    Amps(self.node.uri, queue.name, workload, DEAD_LETTER_QUEUE=dead.name,
                         EVENT_VALIDATION=validation) as amps:
                for _ in REFUSED:
                    properties, body = dead.take()
                    self.assertEqual(body, b'the body of ' + properties.message_id.encode())
                    self.assertEqual(properties.headers['x-amps-reason'], 'malformed')
                    self.assertIn(f'“{properties.message_id}”',
                                  properties.headers['x-amps-detail'])
                wait_until(lambda amps=amps: amps.get('/jobs').json['count'] == 0, what='no job')
                self.assertEqual(workload.posts, [])

    def test_names_of_headers(self):
        queue = self.queue()
        prefixes = ('cloudEvents:', 'CLOUDEVENTS:', 'cloudevents_', 'Ce-', 'CE_')
        for number, prefix in enumerate(prefixes):
            queue.publish(b'1', {name.title() if number % 2 else name: value for name, value in
                                 headers(prefix, id=str(number), correlationId='x').items()})
        with Workload() as workload, \
                Amps(self.node.uri, queue.name, workload, EVENT_VALIDATION='strict'):
            for post in workload.wait(len(prefixes)):
                self.assertEqual(post.event, {'specversion': '1.0', 'id': post.id, 'source': '/s',
                                              'type': 't', 'correlationid': 'x', 'data': 1})

    def test_content_type_that_is_there_twice(self):
        dead, queue = self.queue(), self.queue()
        target = self.queue()
        twice = headers('ce-', datacontenttype='application/json')
        queue.publish(b'{"a":1}', twice, content_type='application/json')
        queue.publish(b'{"a":1}', {**twice, 'ce-id': '2'}, content_type='text/plain')
        with Workload() as workload, Amps(self.node.uri, queue.name, workload,
                                          DEAD_LETTER_QUEUE=dead.name) as amps:
            post, = workload.wait(1)
            self.assertEqual((post.event['datacontenttype'], post.event['data']),
                             ('application/json', {'a': 1}))
            self.assertIn('datacontenttype', dead.take()[0].headers['x-amps-detail'])
            twice['ce-type'] = target.name
            for content_type, status in (('application/json', 202), ('text/plain', 400)):
                answer = amps.call('POST', '/publish', '{"a":1}',
                                   {**twice, 'Content-Type': content_type})
                self.assertEqual(answer.status, status)
            self.assertIn('datacontenttype', answer.json['detail'])
            target.wait_count(1)


if __name__ == '__main__':
    unittest.main()
