# SPDX-License-Identifier: MIT
"""The other ways to run a job: sync, batches, heartbeats."""

import json
import time
import unittest

from amps import Amps, wait_until
from broker import EMBEDDED, BrokerTest, event
from workload import Workload


class Modes(BrokerTest):
    """What is answered, and what becomes of the job."""

    def run_sync(self, answer, **settings):
        """One job in sync mode; returns its queue, the workload and AMPS."""
        queue, workload = self.queue(), Workload(answer)
        self.addCleanup(workload.stop)
        queue.publish(event('a'))
        amps = Amps(self.node.uri, queue.name, workload, WORKLOAD_MODE='sync', **settings)
        self.addCleanup(amps.__exit__)
        workload.wait(1)
        return queue, workload, amps

    def assert_done(self, queue, amps):
        """The job has left AMPS, and the queue."""
        wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end of the job')
        amps.stop()
        self.assertEqual(queue.count(), 0)

    def test_sync_answer_is_published_first(self):
        target = self.queue()
        answer_event = event('answer', type=target.name, data={'n': 1.0})
        for answer in ((200, {'Content-Type': 'application/cloudevents+json'}, answer_event),
                       (201, {'Content-Type': 'application/json', 'ce-specversion': '1.0',
                              'ce-id': 'answer', 'ce-source': '/test', 'ce-type': target.name},
                        b'{"n": 1.0}')):
            queue, _, amps = self.run_sync(lambda _, answer=answer: answer)
            properties, body = target.take()
            self.assertEqual(json.loads(body)['data'], {'n': 1.0})
            self.assertEqual(properties.message_id, None if EMBEDDED else 'answer')
            self.assert_done(queue, amps)

    def test_sync_answer_that_is_no_event_or_has_no_queue(self):
        head = {'Content-Type': 'application/cloudevents+json'}
        bad = [
            (head, b'{"id":"x"}', 'specversion'),
            (head, event('x', type='t' * 256), '“type”'),
            (head, event('x', data='x' * 2000), 'MAX_BODY_SIZE'),
            ({'Content-Type': 'application/cloudevents-batch+json'},
             b'[' + event('x') + b',' + event('y') + b']', 'batch'),
            ({'ce-specversion': '1.0', 'ce-id': 'x', 'ce-type': 't'}, b'', 'source'),
            ({'ce-specversion': '1.0', 'ce-id': 'x', 'ce-type': 't', 'ce-source': '/s',
              'ce-subject': '%ff'}, b'', 'ce-subject'),
        ]
        if not EMBEDDED:  # There, the answer makes the queue.
            bad.append((head, event('x', type='no-such-queue'), 'no-such-queue'))
        for headers, body, detail in bad:
            dead = self.queue()
            queue, _, amps = self.run_sync(
                lambda _, headers=headers, body=body: (200, headers, body),
                DEAD_LETTER_QUEUE=dead.name, MAX_BODY_SIZE='1KiB')
            headers = dead.take()[0].headers
            self.assertEqual(headers['x-amps-reason'], 'rejected')
            self.assertIn(detail, headers['x-amps-detail'])
            self.assert_done(queue, amps)

    def test_sync_answer_that_is_no_event_is_just_an_answer(self):
        queue, workload, amps = self.run_sync(
            lambda _: (200, {'Content-Type': 'application/json'}, b'{"specversion":"1.0"}'))
        self.assert_done(queue, amps)
        self.assertEqual(len(workload.posts), 1)

    def test_heartbeats_prolong_a_sync_job(self):
        def answer(post):
            for _ in range(6):
                time.sleep(0.4)
                statuses.append(post.tell('/heartbeat'))
            return 200

        statuses = []
        queue, workload, amps = self.run_sync(answer, JOB_TIMEOUT='1s')
        wait_until(lambda: len(statuses) == 6, what='the end of the work')
        self.assert_done(queue, amps)
        self.assertEqual((set(statuses), len(workload.posts)), ({200}, 1))

    def test_sync_202_is_async_for_this_job(self):
        queue, workload, amps = self.run_sync(lambda _: 202)
        wait_until(lambda: '"running"' in amps.get('/jobs').body, what='running')
        self.assertEqual(workload.posts[0].acknowledge(), 202)
        self.assert_done(queue, amps)

    def test_sync_is_bounded_by_job_timeout(self):
        def answer(_):
            if len(workload_posts()) == 1:
                time.sleep(3)
            return 200

        def workload_posts():
            return self.workload.posts

        queue, self.workload = self.queue(), Workload(answer)
        self.addCleanup(self.workload.stop)
        queue.publish(event('a'))
        with Amps(self.node.uri, queue.name, self.workload, WORKLOAD_MODE='sync',
                  JOB_TIMEOUT='1s', RETRY_MAX_BACKOFF='1s') as amps:
            posts = self.workload.wait(2)
            self.assertEqual(posts[1].headers['Amps-Attempt'], '2')
            self.assert_done(queue, amps)

    def batch(self, count, answer, **settings):
        """So many jobs, sent in batches of up to five."""
        queue, workload = self.queue(), Workload(answer)
        self.addCleanup(workload.stop)
        bodies = [event(number, data=[1.0, number]) for number in range(count)]
        for body in bodies:
            queue.publish(body)
        amps = Amps(self.node.uri, queue.name, workload, WORKLOAD_BATCH_SIZE=5,
                    WORKLOAD_BATCH_WAIT='100ms', **settings)
        self.addCleanup(amps.__exit__)
        return queue, workload, amps, bodies

    def test_async_batches(self):
        def answer(post):
            done.extend(post.event)
            amps.post('/acknowledge', {'identifiers': [each['id'] for each in post.event]})
            return 204

        done = []
        queue, workload, amps, bodies = self.batch(12, answer)
        wait_until(lambda: len(done) == 12, what='all in batches')
        self.assertEqual(sorted(len(post.event) for post in workload.posts), [2, 5, 5])
        for post in workload.posts:
            self.assertEqual(post.headers['Content-Type'], 'application/cloudevents-batch+json')
            self.assertTrue(all(any(body in post.body for body in bodies) for _ in post.event))
        self.assertTrue(all(any(body in post.body for post in workload.posts) for body in bodies))
        self.assert_done(queue, amps)

    def test_sync_batch_with_an_outcome_for_each(self):
        dead = self.queue()

        def answer(post):
            ids = [each['id'] for each in post.event]
            failures = []
            if len(workload.posts) == 1:
                failures = [{'identifier': ids[0], 'reason': 'bad'},
                            {'identifier': ids[1], 'reschedule': True}]
            return 200, {'Content-Type': 'application/json'}, json.dumps(
                {'failures': failures}).encode() if failures else b''

        queue, workload, amps, _ = self.batch(5, answer, WORKLOAD_MODE='sync',
                                              DEAD_LETTER_QUEUE=dead.name)
        properties, body = dead.take()
        self.assertEqual(properties.headers['x-amps-detail'], 'bad')
        first = workload.posts[0].event
        self.assertEqual(json.loads(body)['id'], first[0]['id'])
        again = workload.wait(2)[1].event
        self.assertEqual([each['id'] for each in again], [first[1]['id']])
        self.assert_done(queue, amps)

    def test_answer_to_a_batch_that_makes_no_sense(self):
        for headers, body in (
                ({}, b'{"failures":[{"identifier":"nobody"}]}'),
                ({}, b'done'),
                # An event has nowhere to go: it would be lost if this counted as done.
                ({'Content-Type': 'application/cloudevents+json'}, event('x')),
                ({'ce-specversion': '1.0', 'ce-id': 'x', 'ce-source': '/s', 'ce-type': 't'}, b'')):
            def answer(_, headers=headers, body=body):
                return (200, headers, body) if len(workload.posts) == 1 else 200

            queue, workload, amps, _ = self.batch(
                5, answer, WORKLOAD_MODE='sync', RETRY_MIN_BACKOFF='100ms',
                RETRY_MAX_BACKOFF='100ms')
            first = {each['id'] for each in workload.wait(1)[0].event}
            wait_until(lambda: first <= {each['id'] for post in workload.posts[1:]
                                         for each in post.event}, what='all of them again')
            self.assertTrue(all(post.headers['Amps-Attempt'] is None for post in workload.posts))
            self.assert_done(queue, amps)

    def test_one_bad_event_takes_none_with_it(self):
        for mode in ('sync', 'async'):
            def answer(post, mode=mode):
                ids = [each['id'] for each in post.event]
                if '3' in ids:
                    return 400
                if mode == 'async':
                    amps.post('/acknowledge', {'identifiers': ids})
                return 200

            dead = self.queue()
            queue, workload, amps, _ = self.batch(5, answer, WORKLOAD_MODE=mode,
                                                  DEAD_LETTER_QUEUE=dead.name)
            self.assertEqual(json.loads(dead.take()[1])['id'], '3')
            self.assert_done(queue, amps)
            self.assertEqual(sorted(len(post.event) for post in workload.posts), [1, 1, 1, 1, 1, 5])
            self.assertEqual(dead.count(), 0)

    def test_a_batch_waits_no_longer_than_its_time(self):
        queue, workload, amps, _ = self.batch(0, lambda _: 200, WORKLOAD_MODE='sync')
        amps.wait_ready()
        began = time.monotonic()
        queue.publish(event('lonely'))
        workload.wait(1)
        self.assertLess(time.monotonic() - began, 0.5)

    def test_heartbeats(self):
        queue = self.queue()
        queue.publish(event('a'))
        with Workload(lambda _: 202) as workload, \
                Amps(self.node.uri, queue.name, workload, HEARTBEAT_TIMEOUT='1s',
                     RETRY_MAX_BACKOFF='1s') as amps:
            post = workload.wait(1)[0]
            for _ in range(6):
                time.sleep(0.4)
                answer = amps.post('/heartbeat', {'identifier': 'a'})
                self.assertEqual(answer.status, 200)
                self.assertRegex(answer.json['deadline'], r'^20\d\d-')
            self.assertEqual(amps.post('/heartbeat', {'identifier': 'a', 'extend': '3s'}).status,
                             200)
            time.sleep(2)
            self.assertEqual(len(workload.posts), 1)
            again = workload.wait(2, timeout=10)[1]
            self.assertEqual(again.headers['Amps-Attempt'], '2')
            self.assertEqual(amps.post('/heartbeat', {
                'identifier': post.headers['Amps-Job-Id']}).status, 404)


if __name__ == '__main__':
    unittest.main()
