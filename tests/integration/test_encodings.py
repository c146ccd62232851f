# SPDX-License-Identifier: MIT
"""Bodies that are packed by gzip, or by something else."""

import gzip
import json
import time
import unittest

from amps import Amps, wait_until
from broker import EMBEDDED, BrokerTest, amqp_only, event
from workload import Workload

GZIP = {'Content-Encoding': 'gzip'}
STRUCTURED = {'Content-Type': 'application/cloudevents+json'}
BATCH = {'Content-Type': 'application/cloudevents-batch+json'}
LIMIT = 1024 * 1024


def binary(kind, identifier):
    """Headers of an event in HTTP's binary mode."""
    return {'Content-Type': 'application/json', 'ce-specversion': '1.0', 'ce-id': identifier,
            'ce-source': '/test', 'ce-type': kind}


def packed_zeros(size):
    """Little that becomes much."""
    return gzip.compress(bytes(size))


class Encodings(BrokerTest):
    """The workload sees what was packed, and never the package."""

    configuration = 'max_message_size = 134217728\n'

    @amqp_only
    def test_deliveries(self):
        """Small ones, large ones, those that only look small; in both modes."""
        queue = self.queue()
        bodies = {name: event(name, data='x' * size) for name, size in
                  (('small', 1), ('medium', 1000), ('large', 12 * 1024 * 1024))}
        for name, body in bodies.items():
            queue.publish(gzip.compress(body), content_encoding='gzip', message_id=name)
        queue.publish(gzip.compress(b'[1.50]'), content_encoding='GZip',
                      headers={'ce-specversion': '1.0', 'ce-id': 'binary', 'ce-source': '/s',
                               'ce-type': 't'})
        plain = {name: event(name) for name in ('identity', 'utf-8', 'UTF-8', 'binary')}
        for name, body in plain.items():
            queue.publish(body.replace(b'"binary"', b'"raw"'), content_encoding=name)
        with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
            posts = {post.id: post for post in workload.wait(8)}
            for name, body in bodies.items():
                self.assertTrue(posts[name].body == body, name)
            self.assertIn(b'"data":[1.50]', posts['binary'].body)
            self.assertIn('raw', posts)
            self.assertIn('UTF-8', posts)
            self.assertEqual(amps.stop(), 0)
            queue.wait_count(0)

    @amqp_only
    def test_dead_letters_and_retries_stay_packed(self):
        queue, dead = self.queue(), self.queue()
        first = gzip.compress(event('rejected'))
        again = gzip.compress(event('again', data='x' * 10000))
        queue.publish(first, content_encoding='gzip')
        queue.publish(again, content_encoding='gzip')
        seen = []

        def answer(post):
            seen.append(post.body)
            return 400 if post.id == 'rejected' or seen.count(post.body) > 1 else 500

        with Workload(answer) as workload, \
                Amps(self.node.uri, queue.name, workload, DEAD_LETTER_QUEUE=dead.name,
                     WORKLOAD_MODE='sync', RETRY_MIN_BACKOFF='2s', RETRY_MAX_BACKOFF='2s'):
            letters = [dead.take(30) for _ in range(2)]
            self.assertCountEqual([body for _, body in letters], [first, again])
            for properties, _ in letters:
                self.assertEqual(properties.content_encoding, 'gzip')
            self.assertEqual(seen.count(event('again', data='x' * 10000)), 2)

    @amqp_only
    def test_deliveries_that_cannot_be_read(self):
        queue, dead = self.queue(), self.queue()
        cases = {'br': ('br', b'...', '“br”'), 'zstd': ('zstd', event('1'), '“zstd”'),
                 'plain': ('gzip', event('1'), 'gzip'),
                 'cut': ('gzip', gzip.compress(event('1'))[:-5], 'gzip'),
                 'bomb': ('gzip', packed_zeros(100 * LIMIT), 'MAX_BODY_SIZE')}
        for name, (encoding, body, _) in cases.items():
            queue.publish(body, content_encoding=encoding, message_id=name)
        queue.publish(event('good'))
        with Workload() as workload, \
                Amps(self.node.uri, queue.name, workload, DEAD_LETTER_QUEUE=dead.name,
                     MAX_BODY_SIZE='1MiB') as amps:
            self.assertEqual([post.id for post in workload.wait(1)], ['good'])
            for _ in cases:
                properties, body = dead.take()
                encoding, original, reason = cases[properties.message_id]
                self.assertEqual((properties.content_encoding, body), (encoding, original))
                self.assertEqual(properties.headers['x-amps-reason'], 'malformed')
                self.assertIn(reason, properties.headers['x-amps-detail'])
            self.assertEqual(len(workload.posts), 1)
            self.assertLess(amps.resident, 100 * 1024)

    @amqp_only
    def test_the_main_loop_goes_on(self):
        """While bombs are unpacked the API answers."""
        queue, dead = self.queue(), self.queue()
        bomb = packed_zeros(200 * LIMIT)
        for _ in range(20):
            queue.publish(bomb, content_encoding='gzip')
        with Workload() as workload, \
                Amps(self.node.uri, queue.name, workload, DEAD_LETTER_QUEUE=dead.name,
                     MAX_BODY_SIZE='64MiB') as amps:
            longest = 0
            while dead.count() < 20:
                began = time.monotonic()
                amps.wait_listening().get('/healthz')
                longest = max(longest, time.monotonic() - began)
                time.sleep(0.01)
            # One of them takes about 0.1 s of a processor, all of them 2 s.
            self.assertLess(longest, 1)

    def test_publish(self):
        target = self.queue()
        large = event('large', type=target.name, data='x' * 3 * LIMIT)
        first, second = (event(name, type=target.name, data=1.50) for name in 'ab')
        cases = [(STRUCTURED, first, [first]), ({}, second, [second]), (STRUCTURED, large, [large]),
                 (BATCH, b'[%s, %s]' % (first, second), [first, second])]
        with Workload() as workload, \
                Amps(self.node.uri, self.queue().name, workload).wait_ready() as amps:
            for headers, body, expected in cases:
                answer = amps.call('POST', '/publish', gzip.compress(body), {**headers, **GZIP})
                self.assertEqual((answer.status, answer.body), (202, ''))
                self.assertCountEqual([target.take()[1] for _ in expected], expected)
            answer = amps.call('POST', '/publish', gzip.compress(b'{"n": 1.50}'),
                               {**binary(target.name, 'c'), **GZIP})
            self.assertEqual(answer.status, 202)
            properties, body = target.take()
            self.assertIn(b'"data":{"n": 1.50}', body)
            if not EMBEDDED:
                self.assertIsNone(properties.content_encoding)
            answer = amps.call('POST', '/publish', first, {'Content-Encoding': 'identity'})
            self.assertEqual(answer.status, 202)

    def test_publications_that_cannot_be_read(self):
        target = self.queue()
        body = event('1', type=target.name)
        cases = [(415, 'br', body, '“br”'), (415, 'gzip, br', body, 'br'),
                 (400, 'gzip', body, 'gzip'), (400, 'gzip', gzip.compress(body)[:-1], 'gzip'),
                 (400, 'gzip', gzip.compress(b'{}'), 'specversion'),
                 (413, 'gzip', packed_zeros(200 * LIMIT), 'MAX_BODY_SIZE')]
        with Amps(self.node.uri, self.queue().name, MAX_BODY_SIZE='1MiB') as amps:
            amps.wait_listening()
            for status, encoding, packed, detail in cases:
                answer = amps.call('POST', '/publish', packed, {'Content-Encoding': encoding})
                self.assertEqual(answer.status, status)
                self.assertEqual(answer.headers['Content-Type'], 'application/problem+json')
                self.assertIn(detail, answer.json['detail'])
            self.assertEqual(target.count(), 0)
            self.assertLess(amps.resident, 100 * 1024)

    def run_sync(self, answer, **settings):
        """One job whose workload answers so."""
        queue = self.queue()
        queue.publish(event('job'))
        workload = Workload(answer)
        self.addCleanup(workload.stop)
        amps = Amps(self.node.uri, queue.name, workload, WORKLOAD_MODE='sync', **settings)
        self.addCleanup(amps.__exit__)
        return queue, amps

    def test_sync_answers(self):
        target = self.queue()
        answer_event = event('answer', type=target.name, data='x' * 2 * LIMIT)
        for headers, body in ((STRUCTURED, answer_event),
                              (binary(target.name, 'answer'), b'{"n": 1.50}')):
            queue, amps = self.run_sync(lambda _, headers=headers, body=body: (
                200, {**headers, **GZIP}, gzip.compress(body)))
            _, published = target.take()
            self.assertEqual(json.loads(published)['id'], 'answer')
            if headers is STRUCTURED:
                self.assertTrue(published == answer_event)
            wait_until(lambda amps=amps: amps.get('/jobs').json['jobs'] == [], what='the end')
            self.assertEqual((amps.stop(), queue.count()), (0, 0))

    def test_sync_answers_that_cannot_be_read(self):
        for encoding, body, detail in (('br', b'...', '“br”'), ('gzip', b'...', 'gzip'),
                                       ('gzip', packed_zeros(100 * LIMIT), 'MAX_BODY_SIZE')):
            dead = self.queue()
            self.run_sync(lambda _, encoding=encoding, body=body: (
                200, {**STRUCTURED, 'Content-Encoding': encoding}, body),
                DEAD_LETTER_QUEUE=dead.name, MAX_BODY_SIZE='1MiB')
            self.assertIn(detail, dead.take()[0].headers['x-amps-detail'])

    def test_sync_answers_to_batches(self):
        dead = self.queue()
        failures = json.dumps({'failures': [{'identifier': 'job', 'reason': 'why not'}]}).encode()
        self.run_sync(lambda _: (200, {'Content-Type': 'application/json', **GZIP},
                                 gzip.compress(failures)),
                      DEAD_LETTER_QUEUE=dead.name, WORKLOAD_BATCH_SIZE=2)
        self.assertIn('why not', dead.take()[0].headers['x-amps-detail'])

    def test_sync_answers_that_nobody_reads(self):
        """Whatever they are packed by."""
        queue, amps = self.run_sync(lambda _: (200, {'Content-Encoding': 'br'}, b'...'))
        wait_until(lambda: amps.metric('amps_workloads_acknowledged_total') == 1, what='success')
        self.assertEqual((amps.stop(), queue.count()), (0, 0))


if __name__ == '__main__':
    unittest.main()
