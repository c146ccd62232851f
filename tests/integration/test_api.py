# SPDX-License-Identifier: MIT
"""The answers of the API, and what they mean at the broker."""

import json
import re
import shutil
import subprocess
import unittest

from amps import Amps, wait_until
from broker import EMBEDDED, BrokerTest, event
from workload import Workload


# See docs/reference/metrics.md.
METRICS = {
    'amps_messages_inserted_total': 'counter',
    'amps_messages_deleted_total': 'counter',
    'amps_messages_count': 'gauge',
    'amps_message_lifetime_seconds': 'histogram',
    'amps_workloads_acknowledged_total': 'counter',
    'amps_workloads_rejected_total': 'counter',
    'amps_workloads_published_total': 'counter',
    'amps_jobs_in_flight': 'gauge',
    'amps_concurrency_limit': 'gauge',
    'amps_job_outcomes_total': 'counter',
    'amps_dead_letters_total': 'counter',
    'amps_dead_letters_waiting': 'gauge',
    'amps_discarded_total': 'counter',
    'amps_job_duration_seconds': 'histogram',
    'amps_delivery_latency_seconds': 'histogram',
    'amps_workload_requests_total': 'counter',
    'amps_workload_request_duration_seconds': 'histogram',
    'amps_broker_connected': 'gauge',
    'amps_broker_reconnects_total': 'counter',
    'amps_events_nonconforming_total': 'counter',
    'amps_broker_blocked': 'gauge',
    'amps_consumer_paused': 'gauge',
    'amps_build_info': 'gauge',
    'amps_ready': 'gauge',
    'amps_oldest_job_age_seconds': 'gauge',
    'amps_queue_messages': 'gauge',
    'amps_publications_total': 'counter',
    'amps_api_requests_total': 'counter',
    'amps_spans_exported_total': 'counter',
    'amps_spans_dropped_total': 'counter',
    'amps_error_reports_total': 'counter',
}


def accept(_):
    """Takes a job and says nothing more of it."""
    return 202


class Api(BrokerTest):
    """See docs/reference/api.md."""

    def amps(self, queue, workload, **settings):
        """An AMPS that is ready, until the test ends."""
        amps = Amps(self.node.uri, queue.name, workload, **settings)
        self.addCleanup(amps.__exit__)
        return amps.wait_ready()

    def running(self, count=1, queue_type='quorum', **settings):
        """An AMPS with so many accepted jobs, called 0, 1, 2…"""
        queue, workload = self.queue(queue_type), Workload(accept)
        self.addCleanup(workload.stop)
        for number in range(count):
            queue.publish(event(number))
        amps = self.amps(queue, workload, **settings)
        wait_until(lambda: [job['state'] for job in amps.get('/jobs').json['jobs']]
                   == ['running'] * count, what='all jobs running')
        return queue, workload, amps

    def test_outcomes(self):
        queue, _, amps = self.running(3)
        self.assertEqual(amps.post('/acknowledge', {'identifier': 'nobody'}).status, 404)
        self.assertEqual(amps.post('/acknowledge', {'identifier': '0'}).status, 202)
        self.assertEqual(amps.post('/acknowledge', {'identifier': '0'}).status, 202)
        self.assertEqual(amps.post('/reject', {'identifier': '0'}).status, 409)
        self.assertEqual(amps.post('/reject', {'identifier': '1', 'reason': 'bad'}).status, 202)
        self.assertEqual(amps.post('/acknowledge', {'identifier': '1'}).status, 409)
        self.assertEqual(amps.post('/heartbeat', {'identifier': '2'}).status, 200)
        self.assertEqual(amps.post('/heartbeat', {'identifier': '0'}).status, 404)
        amps.stop()
        queue.wait_count(1)

    def test_a_late_answer_of_an_earlier_run_decides_nothing(self):
        queue, workload, amps = self.running()
        first = workload.posts[0].headers['Amps-Job-Id']
        self.assertEqual(amps.post('/reject', {'identifier': first, 'reschedule': True}).status,
                         202)
        second = workload.wait(2)[1].headers['Amps-Job-Id']
        # That run was given back, which is no acknowledgement.
        self.assertEqual(amps.post('/acknowledge', {'identifier': first}).status, 409)
        self.assertEqual(amps.post('/acknowledge', {'identifier': second}).status, 202)
        amps.stop()
        self.assertEqual(queue.count(), 0)

    def test_bad_requests(self):
        _, _, amps = self.running()
        for body in ('', '{', '[]', '{}', '{"identifier":7}', '{"identifier":"0","delay":"x"}'):
            answer = amps.post('/acknowledge', body)
            self.assertEqual(answer.status, 400, body)
            self.assertEqual(answer.headers['Content-Type'], 'application/problem+json')
            self.assertTrue(answer.json['detail'])
        self.assertEqual(amps.get('/acknowledge').status, 405)
        self.assertEqual(amps.get('/acknowledge').headers['Allow'], 'POST')
        self.assertEqual(amps.get('/nowhere').status, 404)
        self.assertEqual(amps.post('/acknowledge', '{"identifier":"0"}',
                                   Content_Type='text/plain').status, 202)

    def test_many_identifiers(self):
        _, _, amps = self.running(3)
        self.assertEqual(amps.post('/acknowledge', {'identifiers': ['0', '1']}).status, 202)
        answer = amps.post('/reject', {'identifiers': ['1', '2', 'nobody']})
        self.assertEqual(answer.status, 207)
        text = answer.body
        for status in ('409', '202', '404'):
            self.assertIn(status, text)

    def test_publish(self):
        target, _, amps = self.running()
        other = self.queue()
        good = event('p', type=other.name, data={'n': 1.0})
        self.assertEqual(amps.post('/publish', good).status, 202)
        properties, body = other.take()
        self.assertEqual(body, good)
        if not EMBEDDED:
            self.assertEqual(properties.content_type, 'application/cloudevents+json')
            self.assertEqual(properties.message_id, 'p')
            self.assertEqual(properties.delivery_mode, 2)

        self.assertEqual(amps.post('/publish', event('p', type='no-such-queue')).status,
                         202 if EMBEDDED else 404)
        answer = amps.post('/publish', event('p', type=''))
        self.assertEqual(answer.status, 400)
        self.assertIn('type', answer.json['detail'])
        for name in ('specversion', 'id', 'source', 'type'):
            members = json.loads(good)
            del members[name]
            answer = amps.post('/publish', members)
            self.assertEqual((answer.status, answer.headers['Content-Type']),
                             (400, 'application/problem+json'))
            self.assertIn(f'“{name}”', answer.json['detail'])
            answer = amps.post('/publish', '', **{
                f'ce_{each}': value for each, value in members.items() if each != 'data'})
            self.assertEqual(answer.status, 400)
            self.assertIn(f'“{name}”', answer.json['detail'])
        answer = amps.post('/publish', event('p', type='t' * 256))
        self.assertEqual(answer.status, 400)
        self.assertIn('“type”', answer.json['detail'])
        self.assertEqual(amps.post('/publish', event('i' * 256, type=other.name)).status, 202)
        self.assertIsNone(other.take()[0].message_id)

        self.assertEqual(amps.post('/publish', '{"n":1}', ce_specversion='1.0', ce_id='b',
                                   ce_source='/s', ce_type=other.name,
                                   Content_Type='application/json').status, 202)
        self.assertEqual(json.loads(other.take()[1])['data'], {'n': 1})
        batch = b'[' + event('x', type=other.name) + b',' + event('y', type=other.name) + b']'
        self.assertEqual(amps.post('/publish', batch,
                                   Content_Type='application/cloudevents-batch+json').status, 202)
        other.wait_count(2)

        # One that is bad keeps the others back.
        bad = b'[' + event('x', type=other.name) + b',' + event('', type=other.name) + b']'
        answer = amps.post('/publish', bad, Content_Type='application/cloudevents-batch+json')
        self.assertEqual(answer.status, 400)
        self.assertIn('event 1: “id”', answer.json['detail'])
        self.assertEqual((target.count(), other.count()), (0, 2))

    def test_acknowledge_and_publish_in_one_call(self):
        queue, _, amps = self.running(2)
        other = self.queue()
        if not EMBEDDED:
            self.assertEqual(amps.post('/acknowledge', {
                'identifier': '0',
                'publish': json.loads(event('n', type='no-such-queue'))}).status, 404)
        self.assertEqual(amps.get('/jobs/0').status, 200)
        self.assertEqual(amps.post('/acknowledge', {
            'identifier': '0', 'publish': [json.loads(event('n', type=other.name)),
                                           json.loads(event('m', type=other.name))]}).status, 202)
        other.wait_count(2)
        self.assertEqual(amps.get('/jobs/0').status, 404)
        self.assertEqual(amps.get('/jobs/1').json['state'], 'running')
        amps.stop()
        queue.wait_count(1)

    def test_pause_and_resume(self):
        queue, workload, amps = self.running(queue_type='classic')
        self.assertIn(amps.post('/pause').status, (200, 202, 204))
        self.assertEqual(amps.get('/readyz').status, 503)
        wait_until(lambda: '"paused"' in amps.get('/health/detailed').body, what='being paused')
        queue.wait_unconsumed()
        queue.publish(event('later'))
        queue.wait_count(1)
        self.assertEqual(len(workload.posts), 1)
        amps.post('/resume')
        workload.wait(2)
        self.assertTrue(amps.is_ready())

    def test_drain(self):
        queue, workload, amps = self.running()
        self.assertEqual(amps.get('/drain').status, 202)
        queue.publish(event('later'))
        queue.wait_count(1)
        workload.posts[0].acknowledge()
        self.assertEqual(amps.get('/drain?wait=5s').status, 200)
        self.assertEqual(amps.get('/healthz').status, 200)
        self.assertEqual(amps.get('/readyz').status, 503)
        amps.post('/resume')
        workload.wait(2)

    def test_health(self):
        queue, _, amps = self.running()
        health = amps.get('/health').json
        self.assertLessEqual({'status', 'timestamp', 'uptime', 'broker_type', 'connected',
                              'job_count'}, health.keys())
        self.assertEqual(health['job_count'], 1)
        self.assertTrue(health['connected'])
        self.assertNotIn('guest:guest', amps.get('/health/detailed').body)
        self.assertIn(queue.name, amps.get('/health/detailed').body)

    def test_token(self):
        _, workload, amps = self.running(API_TOKEN='open-sesame')
        answer = amps.post('/acknowledge', {'identifier': '0'}, Authorization='')
        self.assertEqual(answer.status, 401)
        self.assertIn('Bearer', answer.headers['WWW-Authenticate'])
        self.assertEqual(amps.post('/acknowledge', {'identifier': '0'},
                                   Authorization='Bearer wrong').status, 401)
        self.assertEqual(amps.post('/acknowledge', {'identifier': '0'},
                                   Authorization='Bearer open-sesame').status, 202)
        self.assertEqual(amps.get('/healthz').status, 200)
        self.assertNotIn('sesame', amps.log)
        self.assertEqual(len(workload.posts), 1)

    def test_foreign_origin(self):
        _, _, amps = self.running()
        answer = amps.post('/acknowledge', {'identifier': '0'}, Origin='http://evil.example')
        self.assertEqual(answer.status, 403)
        self.assertIn('API_ALLOW_REMOTE', answer.json['detail'])

    def test_metrics(self):
        _, workload, amps = self.running(2)
        workload.posts[0].acknowledge()
        self.assertEqual(amps.metric('amps_messages_inserted_total'), 2)
        self.assertEqual(amps.metric('amps_jobs_in_flight'), 1)
        self.assertEqual(amps.metric('amps_broker_connected'), 1)
        self.assertEqual(amps.metric('amps_job_outcomes_total{outcome="acknowledged"}'), 1)
        answer = wait_until(lambda: self.with_queues(amps), what='depths of queues')
        self.assertTrue(answer.headers['Content-Type'].startswith('text/plain; version=0.0.4'))
        types = dict(line.split()[2:] for line in answer.body.splitlines()
                     if line.startswith('# TYPE'))
        self.assertEqual({name: kind for name, kind in types.items()
                          if not name.startswith('process_')}, METRICS)
        self.assertIn('process_cpu_seconds_total', types)
        labels = set(re.findall(r'^amps_\w+{(\w+)=', answer.body, re.MULTILINE))
        self.assertEqual(labels, {'version', 'reason', 'outcome', 'code', 'le', 'result', 'call',
                                  'queue'})

    @staticmethod
    def with_queues(amps):
        """The metrics, once the queues were counted; else None."""
        answer = amps.call('GET', '/metrics', port=amps.metrics_port)
        return answer if 'amps_queue_messages{' in answer.body else None

    def test_promtool_has_nothing_to_say(self):
        promtool = shutil.which('promtool')
        if promtool is None:
            self.skipTest('there is no promtool')
        _, workload, amps = self.running(2)
        workload.posts[0].acknowledge()
        text = wait_until(lambda: self.with_queues(amps), what='depths of queues').body
        checked = subprocess.run([promtool, 'check', 'metrics'], input=text, text=True,
                                 capture_output=True, check=False)
        # The name is inherited. That promtool complains shows that it has read it all.
        said = (checked.stdout + checked.stderr).strip().splitlines()
        self.assertEqual(len(said), 1, said)
        self.assertIn('amps_messages_count', said[0])
        self.assertIn('"_count" suffix', said[0])


if __name__ == '__main__':
    unittest.main()
