# SPDX-License-Identifier: MIT
"""Events of every kind, written and read by code that is not ours.

Producers are npm's amqplib with the official CloudEvents SDK, and pika; the
workloads read with that SDK, and with Python's own json. The kinds are those of
the CloudEvents conformance kit: all attributes, binary data, extensions, and
what data there can be.
"""

import base64
import datetime
import json
import unittest

import pika

import javascript
from amps import Amps, wait_until
from broker import BrokerTest
from workload import Workload

BYTES = bytes(range(256))

KINDS = {
    'minimal': {},
    'all-attributes': {
        'subject': 'Straße/世界 "quoted" 100%',
        'time': '2018-04-05T17:31:00.123Z',
        'dataschema': 'https://example.com/schema#/a',
        'datacontenttype': 'application/json',
        'data': {'appinfoA': 'abc', 'appinfoB': 123, 'appinfoC': True, 'nested': {'list': [1, None]}},
    },
    'binary-data': {
        'datacontenttype': 'application/octet-stream',
        'base64': base64.b64encode(BYTES).decode(),
    },
    'text': {'datacontenttype': 'text/plain; charset=utf-8', 'data': 'Grüße, 世界 🚀\r\n'},
    'xml': {'datacontenttype': 'application/xml', 'data': '<much wow="xml">ü</much>'},
    'array': {'datacontenttype': 'application/json', 'data': [1, 'two', {'three': 3.5}]},
    'number': {'datacontenttype': 'application/json', 'data': 42.5},
    'boolean': {'datacontenttype': 'application/json', 'data': True},
    'vendor-json': {'datacontenttype': 'application/vnd.example+json', 'data': {'a': 'b'}},
    'extensions': {
        'comexampleextension1': 'value', 'aninteger': -2147483648, 'aboolean': True,
        'auri': 'https://example.com/?a=b&c=%20', 'atime': '2018-04-05T17:31:00Z', 'x9': 'Ω',
    },
}

MODES = {
    'async': {},
    'sync': {'WORKLOAD_MODE': 'sync'},
    'async batches': {'WORKLOAD_BATCH_SIZE': 7, 'WORKLOAD_BATCH_WAIT': '50ms'},
    'sync batches': {'WORKLOAD_MODE': 'sync', 'WORKLOAD_BATCH_SIZE': 7,
                     'WORKLOAD_BATCH_WAIT': '50ms'},
}

SDK_TYPE = {'WORKLOAD_CONTENT_TYPE': 'application/cloudevents+json'}


def events_of(producer):
    """An event of each kind, with `base64` for data that is bytes."""
    return [{'specversion': '1.0', 'id': f'{kind}, {producer}', 'source': '/formats?a=1',
             'type': 'com.example.formats', **members} for kind, members in KINDS.items()]


def publish_with_pika(queue, structured):
    """By hand, as the AMQP binding says; numbers and booleans are AMQP's own."""
    for event in events_of(f'pika, {"structured" if structured else "binary"}'):
        data, encoded = event.pop('data', None), event.pop('base64', None)
        if structured:
            event.update({'data_base64': encoded} if encoded else
                         {'data': data} if data is not None else {})
            queue.publish(json.dumps(event, ensure_ascii=False).encode(),
                          content_type='application/cloudevents+json')
            continue
        content_type = event.pop('datacontenttype', None)
        if encoded:
            body = base64.b64decode(encoded)
        elif data is None:
            body = b''
        else:
            body = (json.dumps(data) if 'json' in content_type else data).encode()
        # Both of the prefixes that the binding allows.
        prefix = 'cloudEvents_' if 'number' in event['id'] else 'cloudEvents:'
        queue.publish(body, headers={prefix + name: value for name, value in event.items()},
                      content_type=content_type)


def publish_all(node, queue):
    """Each kind by each producer in each mode; returns what is to be expected, by id."""
    for mode in ('structured', 'binary'):
        javascript.run('amqp.js', node.uri, 'publish', queue.name, mode,
                       stdin=json.dumps(events_of(f'amqplib, {mode}')))
        publish_with_pika(queue, mode == 'structured')
    return {event['id']: event for producer in ('amqplib', 'pika')
            for mode in ('structured', 'binary') for event in events_of(f'{producer}, {mode}')}


def read_time(text):
    """A moment, however it is written."""
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00'))


def as_text(value):
    """As attributes are written where all of them are text."""
    return json.dumps(value) if isinstance(value, (bool, int)) else value


class Formats(BrokerTest):
    """The same event comes out that went in."""

    @classmethod
    def setUpClass(cls):
        javascript.require()
        super().setUpClass()

    def assert_same(self, expected, seen):
        """Compares all but how a thing may be written in more than one way."""
        expected = dict(expected)
        attributes = dict(seen['attributes'])
        data, encoded = expected.pop('data', None), expected.pop('base64', None)
        if encoded is not None:
            self.assertEqual(seen.get('base64'), encoded)
        elif seen.get('base64') is not None:
            self.assertEqual(base64.b64decode(seen['base64']).decode(), data)
        else:
            self.assertEqual(seen.get('data'), data)
        if 'datacontenttype' not in expected:
            # In binary mode the SDK names the default.
            self.assertIn(attributes.pop('datacontenttype', 'application/json'),
                          ('application/json', 'application/json; charset=utf-8'))
        # The SDK adds one where there is none.
        time = attributes.pop('time', None)
        if 'time' in expected:
            self.assertEqual(read_time(time), read_time(expected.pop('time')))
        self.assertEqual({name: as_text(value) for name, value in attributes.items()},
                         {name: as_text(value) for name, value in expected.items()})

    def assert_all(self, expected, seen, queue, amps):
        """Every event came once, as it was, and is done."""
        self.assertEqual([each for each in seen if 'attributes' not in each], [])
        self.assertEqual(sorted(each['attributes']['id'] for each in seen), sorted(expected))
        for each in seen:
            with self.subTest(each['attributes']['id']):
                self.assert_same(expected[each['attributes']['id']], each)
        wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end of all jobs')
        self.assertEqual(amps.stop(), 0)
        self.assertEqual(queue.count(), 0)

    def test_workload_with_the_sdk(self):
        for mode, settings in MODES.items():
            with self.subTest(mode):
                queue = self.queue()
                expected = publish_all(self.node, queue)
                server = javascript.Server('workload.js', MODE=mode.split()[0])
                self.addCleanup(server.stop)
                with Amps(self.node.uri, queue.name, server, **SDK_TYPE, **settings) as amps:
                    self.assert_all(expected, server.wait(len(expected)), queue, amps)

    def test_workload_with_the_standard_library(self):
        def describe(event):
            data, encoded = event.pop('data', None), event.pop('data_base64', None)
            return {'attributes': event, 'data': data, 'base64': encoded}

        for mode, settings in MODES.items():
            def answer(post, mode=mode):
                events = post.event if 'batches' in mode else [post.event]
                if mode.startswith('async'):
                    amps.post('/acknowledge', {'identifiers': [each['id'] for each in events]})
                seen.extend(describe(each) for each in events)
                return 200

            with self.subTest(mode), Workload(answer) as workload:
                queue, seen = self.queue(), []
                expected = publish_all(self.node, queue)
                with Amps(self.node.uri, queue.name, workload, **settings) as amps:
                    wait_until(lambda: len(seen) >= len(expected), what='all events')
                    self.assert_all(expected, seen, queue, amps)

    def test_events_that_the_sdk_answers_or_publishes(self):
        for mode in ('structured', 'binary', 'emit-structured', 'emit-binary'):
            with self.subTest(mode):
                queue, target = self.queue(), self.queue()
                queue.publish(json.dumps(events_of('x')[0]).encode())
                server = javascript.Server('workload.js', MODE=mode, ANSWER_TYPE=target.name)
                self.addCleanup(server.stop)
                with Amps(self.node.uri, queue.name, server, **SDK_TYPE,
                          WORKLOAD_MODE='async' if mode.startswith('emit') else 'sync') as amps:
                    target.wait_count(1)
                    published, = javascript.run('amqp.js', self.node.uri, 'take', target.name, '1')
                    expected = {'id': 'answer-minimal, x', 'source': '/workload.js',
                                'type': target.name, 'subject': 'a subject, 100%',
                                'data': {'to': 'minimal, x', 'number': 1.5}}
                    self.assertEqual({name: published[name] for name in expected}, expected)
                    self.assertEqual(as_text(published['answered']), 'true')
                    wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end')
                    self.assertEqual(amps.stop(), 0)
                    self.assertEqual(queue.count(), 0)


if __name__ == '__main__':
    unittest.main()
