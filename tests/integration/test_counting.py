# SPDX-License-Identifier: MIT
"""Whether the metrics are true."""

import json
import unittest

from amps import Amps, wait_until
from broker import EMBEDDED, QUEUE_TYPES, BrokerTest, amqp_only, event
from workload import Workload


def outcomes(amps):
    """What is not 0 of amps_job_outcomes_total."""
    names = ('acknowledged', 'rejected', 'rescheduled', 'retried', 'expired', 'malformed',
             'released')
    found = {name: amps.metric(f'amps_job_outcomes_total{{outcome="{name}"}}') for name in names}
    return {name: count for name, count in found.items() if count}


def depth(amps, queue):
    """What amps_queue_messages says of a queue; None while it says nothing."""
    start = f'amps_queue_messages{{queue="{queue}"}} '
    text = amps.call('GET', '/metrics', port=amps.metrics_port).body
    return next((int(line.removeprefix(start)) for line in text.splitlines()
                 if line.startswith(start)), None)


class Job:
    """Does with a job what its id says."""

    def __init__(self):
        self.rescheduled = False

    def __call__(self, post):
        kind = post.id.split('-')[0]
        if kind == 'ack':
            post.acknowledge()
        elif kind == 'reject':
            post.tell('/reject', reason='as the test wants it')
        elif kind == 'again':
            again, self.rescheduled = not self.rescheduled, True
            post.tell('/reject', reschedule=True) if again else post.acknowledge()
        return {'status': 400, 'fail': 500}.get(kind, 202)


class Metrics(BrokerTest):
    """Each against what has happened."""

    def test_ends_of_runs(self):
        for queue_type in QUEUE_TYPES:
            queue, dead = self.queue(queue_type), self.queue()
            for name in ('ack-1', 'ack-2', 'ack-3', 'reject-1', 'reject-2', 'status-1', 'fail-1',
                         'expire-1', 'again-1', 'twice-1', 'twice-1'):
                queue.publish(event(name))
            queue.publish(b'{')
            with self.subTest(queue_type), Workload(Job()) as workload, \
                    Amps(self.node.uri, queue.name, workload, DEAD_LETTER_QUEUE=dead.name,
                         JOB_TIMEOUT='2s', MAX_ATTEMPTS=2, RETRY_MIN_BACKOFF='100ms',
                         RETRY_MAX_BACKOFF='200ms') as amps:
                amps.wait_log('Duplicate of a job in flight')
                wait_until(lambda: 'twice-1' in [post.id for post in workload.posts],
                           what='a POST')
                amps.post('/acknowledge', {'identifier': 'twice-1'})
                wait_until(lambda: dead.count() == 6, what='6 dead letters')
                wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0, what='no job')
                self.assertEqual(outcomes(amps), {
                    'acknowledged': 5, 'rejected': 4, 'rescheduled': 1, 'retried': 1,
                    'expired': 2, 'malformed': 1})
                self.assertEqual(len(workload.posts), 13)
                self.assertEqual(amps.metric('amps_job_duration_seconds_count'), 13)
                self.assertEqual(amps.metric('amps_workload_requests_total'), 13)
                self.assertEqual(amps.metric('amps_workloads_acknowledged_total'), 5)
                # The last failure and the last expiry are not the workload's word.
                self.assertEqual(amps.metric('amps_workloads_rejected_total'), 3)
                # Neither the duplicate nor what is no event; two of what came again.
                self.assertEqual(amps.metric('amps_messages_inserted_total'), 12)
                self.assertEqual(amps.metric('amps_messages_deleted_total'), 12)
                self.assertEqual(amps.metric('amps_message_lifetime_seconds_count'), 12)
                self.assertEqual(amps.metric('amps_messages_count'), 0)
                self.assertEqual(amps.metric('amps_oldest_job_age_seconds'), 0)
                self.assertEqual(
                    amps.metric('amps_api_requests_total{call="acknowledge",code="202"}'), 5)
                self.assertEqual(
                    amps.metric('amps_api_requests_total{call="reject",code="202"}'), 3)
                wait_until(lambda: depth(amps, dead.name) == 6, 30, 'the depth of dead letters')
                self.assertEqual(depth(amps, queue.name), 0)
                self.assertEqual(depth(amps, queue.name + '.retry'), 0)

    def test_ready(self):
        queue = self.queue()
        with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
            amps.wait_ready()
            self.assertEqual(amps.metric('amps_ready'), 1)
            amps.post('/pause')
            self.assertEqual(amps.metric('amps_ready'), 0)
            self.assertEqual(amps.metric('amps_consumer_paused{reason="requested"}'), 1)

    def test_duration_begins_with_the_post(self):
        queue = self.queue()
        with Workload(lambda _: 202) as workload, \
                Amps(self.node.uri, queue.name, workload, MAX_CONCURRENCY=1) as amps:
            amps.wait_ready()
            queue.publish(event('first'))
            queue.publish(event('second'))
            workload.wait(1)
            wait_until(lambda: amps.metric('amps_oldest_job_age_seconds') > 1, what='an old job')
            amps.post('/acknowledge', {'identifier': 'first'})
            first = amps.metric('amps_job_duration_seconds_sum')
            self.assertGreater(first, 0.9)
            workload.wait(2)
            amps.post('/acknowledge', {'identifier': 'second'})
            self.assertLess(amps.metric('amps_job_duration_seconds_sum'), first + 0.9)
            self.assertEqual(amps.metric('amps_job_duration_seconds_count'), 2)

    def test_publications(self):
        queue, target = self.queue(), self.queue()
        batch = [json.loads(event(number, type=target.name)) for number in range(3)]
        with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
            amps.wait_ready()
            for _ in range(2):
                answer = amps.post('/publish', json.dumps(batch),
                                   Content_Type='application/cloudevents-batch+json')
                self.assertEqual(answer.status, 202)
            self.assertEqual(amps.post('/publish', b'{}').status, 400)
            expected = {'confirmed': 6, 'invalid': 1}
            if not EMBEDDED:
                batch[1]['type'] = 'no.such.queue'
                answer = amps.post('/publish', json.dumps(batch),
                                   Content_Type='application/cloudevents-batch+json')
                self.assertEqual(answer.status, 404)
                expected |= {'confirmed': 8, 'unroutable': 1}
            for result, count in expected.items():
                self.assertEqual(
                    amps.metric(f'amps_publications_total{{result="{result}"}}'), count, result)
            self.assertEqual(amps.metric('amps_workloads_published_total'), expected['confirmed'])
            target.wait_count(expected['confirmed'])
            self.assertEqual(amps.metric('amps_api_requests_total{call="publish",code="202"}'), 2)

    def test_depths(self):
        def answer(post):
            return (500, {'Retry-After': '300'}, b'') if post.id == '0' else 202

        for queue_type in QUEUE_TYPES:
            queue, dead = self.queue(queue_type), self.queue()
            for number in range(5):
                queue.publish(event(number))
            dead.publish(event('dead'))
            with self.subTest(queue_type), Workload(answer) as workload, \
                    Amps(self.node.uri, queue.name, workload, MAX_CONCURRENCY=1,
                         DEAD_LETTER_QUEUE=dead.name) as amps:
                workload.wait(2)
                names = (queue.name, dead.name, queue.name + '.retry')
                wait_until(lambda: [depth(amps, name) for name in names] == [3, 1, 1], 40,
                           '3 jobs, a dead letter and a retry')
                # To look at queues that do not exist has broken nothing.
                self.assertEqual(amps.metric('amps_broker_reconnects_total'), 0)
                self.assertNotIn('No connection to publish', amps.log)
                self.assertEqual(amps.post('/publish', event(9, type=dead.name)).status, 202)

    def looks(self, queue):
        """How often the broker was asked for a queue that it does not have."""
        logs = (self.node.folder / 'log').glob('*.log')
        return sum(log.read_text(errors='replace').count(f"no queue '{queue}' in vhost")
                   for log in logs)

    @amqp_only
    def test_missing_queues_are_looked_for_once(self):
        queue = self.queue()
        with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
            amps.wait_ready().post('/pause')
            wait_until(lambda: depth(amps, queue.name) == 0, what='the first count')
            queue.publish(event(1))
            wait_until(lambda: depth(amps, queue.name) == 1, 40, 'the next count')
            for step in ('1s', '10s', '1h'):
                self.assertEqual(self.looks(f'{queue.name}.retry.{step}'), 1)

    @amqp_only
    def test_without_metrics_nothing_is_counted(self):
        queue = self.queue()
        with Workload() as workload, \
                Amps(self.node.uri, queue.name, workload, METRICS_ENABLED='false') as amps:
            amps.wait_ready()
            self.assertRaises(OSError, amps.call, 'GET', '/metrics', port=amps.metrics_port)
            # A count would have begun with the connection.
            self.assertEqual(amps.post('/publish', event(1, type=queue.name)).status, 202)
            workload.wait(1)
            self.assertEqual(self.looks(f'{queue.name}.retry.1s'), 0)


if __name__ == '__main__':
    unittest.main()
