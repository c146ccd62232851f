# SPDX-License-Identifier: MIT
"""Publications that the broker refuses for good, by closing the channel."""

import concurrent.futures
import json
import time
import unittest

from amps import Amps, wait_until
from broker import QUEUE_TYPES, BrokerTest, event
from workload import Workload

MAX_SIZE = 20000


class Refused(BrokerTest):
    """A publication that the broker refuses fails alone, with the reason."""

    configuration = f'max_message_size = {MAX_SIZE}\n'

    def setUp(self):
        self.node.control('add_user', 'reader', 'secret')
        self.addCleanup(self.node.control, 'delete_user', 'reader')
        self.let_write('^$')
        self.uri = self.node.uri.replace('guest:guest', 'reader:secret')

    def let_write(self, exchanges):
        """Says to which exchanges the user may write."""
        self.node.control('set_permissions', 'reader', '.*', exchanges, '.*')

    def assert_refused(self, answer, status, title, *words):
        """An answer that does not ask for the same again, and says what to do."""
        self.assertEqual((answer.status, answer.json['title']), (status, title))
        for word in words:
            self.assertIn(word, answer.json['detail'])
        self.assertNotIn('Retry-After', answer.headers)

    def assert_same_connection(self, amps):
        """Nothing but a channel was lost."""
        self.assertNotIn('No connection to publish', amps.log)
        self.assertNotIn('Connection lost', amps.log)
        self.assertNotIn('secret', amps.log)

    def test_no_permission(self):
        queue, other = self.queue(), self.queue()
        queue.publish(event('job'))
        with Workload(lambda _: 202) as workload, \
                Amps(self.uri, queue.name, workload).wait_ready() as amps:
            job = workload.wait(1)[0]
            denied = (403, 'Refused by the broker', 'ACCESS_REFUSED', 'amq.default')
            for _ in range(3):
                self.assert_refused(amps.post('/publish', event('e', type=other.name)), *denied)
            # In one go, too: none of them waits in vain.
            batch = [json.loads(event(number, type=other.name)) for number in range(500)]
            began = time.monotonic()
            self.assert_refused(amps.post('/publish', batch, Content_Type=(
                'application/cloudevents-batch+json')), *denied)
            self.assertLess(time.monotonic() - began, 5)
            self.assert_refused(amps.post('/acknowledge', {
                'identifier': job.id, 'publish': json.loads(event('e', type=other.name))}), *denied)
            self.assertEqual(amps.get('/jobs/job').json['state'], 'running')

            self.let_write('.*')
            wait_until(lambda: amps.post('/publish', event('e', type=other.name)).status == 202,
                       what='the permission')
            self.assertEqual(amps.post('/acknowledge', {
                'identifier': job.id,
                'publish': json.loads(event('f', type=other.name))}).status, 202)
            self.assert_same_connection(amps)
            amps.stop()
        self.assertEqual(other.count(), 2)
        queue.wait_count(0)

    def test_answer_that_may_not_be_published(self):
        """The job is rejected, instead of running again and again."""
        for queue_type in QUEUE_TYPES:
            queue, other = self.queue(queue_type), self.queue()
            queue.publish(event('job'))
            answer = event('answer', type=other.name)
            with Workload(lambda _, answer=answer: (200, {
                    'Content-Type': 'application/cloudevents+json'}, answer)) as workload, \
                    Amps(self.uri, queue.name, workload, WORKLOAD_MODE='sync') as amps:
                workload.wait(1)
                amps.wait_log('Rejected a job')
                time.sleep(3)
                self.assertEqual(len(workload.posts), 1)
                self.assertEqual(amps.metric('amps_job_outcomes_total{outcome="rejected"}'), 1)
                self.assert_same_connection(amps)
            self.assertEqual(other.count(), 0)

    def test_answer_that_is_too_large(self):
        dead, queue, other = self.queue(), self.queue(), self.queue()
        queue.publish(event('job'))
        answer = event('answer', type=other.name, data='x' * MAX_SIZE)
        with Workload(lambda _: (200, {'Content-Type': 'application/cloudevents+json'},
                                 answer)) as workload, \
                Amps(self.node.uri, queue.name, workload, WORKLOAD_MODE='sync',
                     DEAD_LETTER_QUEUE=dead.name) as amps:
            headers = dead.take()[0].headers
            self.assertEqual(headers['x-amps-reason'], 'rejected')
            self.assertIn('max_message_size', headers['x-amps-detail'])
            self.assertEqual(headers['x-amps-attempt'], 1)
            self.assertEqual(len(workload.posts), 1)
            wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end of the job')
            self.assert_same_connection(amps)
            amps.stop()
        queue.wait_count(0)

    def test_too_large_among_others(self):
        """Those beside it arrive, events as well as copies."""
        dead, queue, other = self.queue(), self.queue(), self.queue()
        for number in range(60):
            queue.publish(event(number))

        def publish(number):
            large = number % 5 == 0
            answer = amps.post('/publish', event(number, type=other.name,
                                                 data='x' * (MAX_SIZE if large else 10)))
            if large:
                self.assert_refused(answer, 413, 'Body too large', 'max_message_size')
            else:
                self.assertEqual(answer.status, 202)

        def fail(post):
            first = post.headers['Amps-Attempt'] == '1'
            return (500, {'Retry-After': '1'}, b'') if first else 400

        with Workload(fail) as workload, \
                Amps(self.node.uri, queue.name, workload,
                     DEAD_LETTER_QUEUE=dead.name).wait_ready() as amps, \
                concurrent.futures.ThreadPoolExecutor(10) as pool:
            for _ in pool.map(publish, range(200)):
                pass
            wait_until(lambda: amps.metric('amps_job_outcomes_total{outcome="rejected"}') == 60,
                       what='all jobs')
            wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end of the jobs')
            self.assert_same_connection(amps)
            self.assertNotIn('trying again', amps.log)
            amps.stop()
        # At least once: what was not confirmed on a channel that was closed is sent again.
        self.assertEqual({json.loads(other.take()[1])['id'] for _ in range(other.count())},
                         {str(number) for number in range(200) if number % 5})
        self.assertEqual({json.loads(dead.take()[1])['id'] for _ in range(dead.count())},
                         {str(number) for number in range(60)})
        queue.wait_count(0)

    def test_dead_letter_that_may_not_be_published(self):
        """The job stays until it can be."""
        dead, queue = self.queue(), self.queue()
        queue.publish(event('job'))
        with Workload(lambda _: 400) as workload, \
                Amps(self.uri, queue.name, workload, DEAD_LETTER_QUEUE=dead.name) as amps:
            amps.wait_log('ACCESS_REFUSED')
            self.assertEqual(amps.get('/jobs/job').json['state'], 'decided')
            self.let_write('.*')
            self.assertEqual(dead.take(60)[1], event('job'))
            wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end of the job')
            self.assert_same_connection(amps)
            amps.stop()
        queue.wait_count(0)

    def test_retry_that_may_not_be_published(self):
        """The job waits in its slot."""
        queue = self.queue()
        queue.publish(event('job'))
        first_ones = [True, True]

        def answer(post):
            if first_ones:
                first_ones.pop()
                return 503, {'Retry-After': '2'}, b''
            post.acknowledge()
            return 204

        with Workload(answer) as workload, Amps(self.uri, queue.name, workload) as amps:
            posts = workload.wait(3)
            for one, next_one in zip(posts, posts[1:]):
                self.assertGreater(next_one.time - one.time, 1.9)
            self.assert_same_connection(amps)
            amps.stop()
        queue.wait_count(0)


if __name__ == '__main__':
    unittest.main()
