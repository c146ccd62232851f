# SPDX-License-Identifier: MIT
"""Jobs from the queue through the workload to their outcome."""

import collections
import os
import threading
import time
import unittest

from amps import Amps, wait_until
from broker import EMBEDDED, QUEUE_TYPES, BrokerTest, amqp_only, event
from workload import Workload

# Fewer where each memory access is watched.
MAX_BODY = int(os.environ.get('AMPS_TEST_MAX_BODY', str(2 ** 30)))
MANY = int(os.environ.get('AMPS_TEST_JOBS', '20000'))

HEAD = b'{"type":"t","id":"%d","source":"/s","specversion":"1.0",'
BODIES = [
    HEAD + b'"data":{"z":1,"a":2}}',
    HEAD + b'"data":[12345678901234567890123, -0, 1.0, 1e3, 1E-7, 0.10]}',
    HEAD + b'"data":"<>&\\u003c \\/ \xc3\xbc\xf0\x9f\x98\x80"}',
    HEAD + b'"data_base64":"AAEC/w==","datacontenttype":"image/png"}',
    b' \n' + HEAD + b'"myext":"x","flag":true,"count":-7 , "data":null}\n\t',
    HEAD + b'"data":"' + b'x' * (1024 * 1024) + b'"}',
    # The last frame of this one is full: 131072 bytes less 8 of overhead.
    HEAD % 6 + b'"data":"' + b'y' * (131064 - len(HEAD % 6) - 10) + b'"}',
]

TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'


class Delivery(BrokerTest):
    """What a workload sees, and what the broker is told."""

    def test_bodies_arrive_byte_for_byte(self):
        for queue_type in QUEUE_TYPES:
            queue = self.queue(queue_type)
            bodies = [body % number if b'%d' in body else body
                      for number, body in enumerate(BODIES) if len(body) <= MAX_BODY]
            for body in bodies:
                queue.publish(body)
            with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
                posts = workload.wait(len(bodies))
                self.assertCountEqual([post.body for post in posts], bodies)
                amps.stop()
                queue.wait_count(0)

    @amqp_only
    def test_binary_mode_becomes_structured(self):
        queue = self.queue()
        for number, prefix in enumerate(('cloudEvents:', 'cloudEvents_', 'ce-', 'ce_')):
            queue.publish(b'{"n": 1.0}', content_type='application/json', headers={
                prefix + 'specversion': '1.0', prefix + 'id': str(number),
                prefix + 'source': '/s', prefix + 'type': 't', prefix + 'count': 7,
                'other': 'left alone'})
        queue.publish(event('both'), content_type='Application/CloudEvents+JSON; charset=utf-8',
                      headers={'cloudEvents:specversion': '1.0', 'cloudEvents:id': 'both',
                               'cloudEvents:source': '/s', 'cloudEvents:type': 't'})
        with Workload() as workload, Amps(self.node.uri, queue.name, workload):
            posts = {post.id: post for post in workload.wait(5)}
            self.assertEqual(posts.pop('both').body, event('both'))
            for post in posts.values():
                self.assertEqual(post.event['datacontenttype'], 'application/json')
                self.assertEqual(post.event['count'], 7)
                self.assertNotIn('other', post.event)
                self.assertIn(b'"data":{"n": 1.0}', post.body)

    def test_headers_of_a_post(self):
        queue = self.queue()
        queue.publish(event('a'), headers={'traceparent': TRACEPARENT, 'tracestate': 'k=v'})
        with Workload() as workload, \
                Amps(self.node.uri, queue.name, workload, WORKER_ID='me') as amps:
            headers = workload.wait(1)[0].headers
            self.assertEqual(headers['Content-Type'], 'application/json')
            self.assertRegex(headers['User-Agent'], r'^amps/\d')
            self.assertRegex(headers['Amps-Job-Id'], r'^[!-~]+$')
            self.assertEqual(headers['Amps-Attempt'], '1')
            self.assertEqual(headers['Amps-Redelivered'], 'false')
            self.assertEqual(headers['Amps-Queue'], queue.name)
            self.assertEqual(headers['Amps-Worker'], 'me')
            self.assertRegex(headers['Amps-Deadline'], r'^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d.\d+Z$')
            self.assertTrue(headers['Amps-Api'].endswith(f':{amps.port}'))
            if not EMBEDDED:
                self.assertEqual(headers['traceparent'], TRACEPARENT)
                self.assertEqual(headers['tracestate'], 'k=v')

    @amqp_only
    def test_headers_that_make_no_sense(self):
        queue = self.queue()
        for number, header in enumerate(('traceparent', 'tracestate')):
            queue.publish(event(number), headers={header: 'x\r\nEvil: 1'})
        # For good, and not at once because the number has become another one.
        queue.publish(event(2), headers={'x-amps-remaining-delay': 2**62})
        with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
            for post in workload.wait(2):
                for name in ('traceparent', 'tracestate', 'Evil'):
                    self.assertNotIn(name, post.headers)
            wait_until(lambda: amps.get('/jobs').json['count'] == 0, what='no job')
            amps.stop()
            queue.wait_count(0)
            self.assertEqual(len(workload.posts), 2)
            self.assertNotIn('"critical"', amps.log)

    def test_five_at_once_and_never_six(self):
        queue = self.queue()
        for number in range(12):
            queue.publish(event(number))

        # Their end is the acknowledgement, which lets the next one come before the answer.
        running, peaks = set(), []

        def hold(post):
            running.add(post.id)
            peaks.append(len(running))
            time.sleep(1)
            running.remove(post.id)
            post.acknowledge()
            return 204

        with Workload(hold) as workload, \
                Amps(self.node.uri, queue.name, workload, MAX_CONCURRENCY=5):
            workload.wait(5, timeout=5)
            workload.wait(12)
            self.assertEqual(max(peaks), 5)

    def test_many_jobs_none_lost_none_twice(self):
        queue = self.queue(QUEUE_TYPES[-1])
        count = MANY
        queue.fill(event(number) for number in range(count))
        with Workload() as workload, Amps(self.node.uri, queue.name, workload, DEBUG=False) as amps:
            wait_until(lambda: amps.metric('amps_workloads_acknowledged_total') == count, 120,
                       'all being acknowledged')
            times = collections.Counter(post.id for post in workload.posts)
            self.assertEqual(amps.stop(), 0)
            self.assertEqual(len(times), count)
            self.assertEqual(set(times.values()), {1})
            self.assertEqual(queue.count(), 0)

    def test_expiry_frees_the_slot_and_the_job_comes_back(self):
        queue = self.queue()
        queue.publish(event('never'))
        queue.publish(event('other'))
        runs = []

        def accept(post):
            if post.id == 'other' or runs:
                post.acknowledge()
            if post.id == 'never':
                runs.append(post)
            return 202

        with Workload(accept) as workload, \
                Amps(self.node.uri, queue.name, workload, MAX_CONCURRENCY=1, JOB_TIMEOUT='1s',
                     RETRY_MAX_BACKOFF='1s') as amps:
            workload.wait(2)
            wait_until(lambda: len(runs) == 2, what='the second run')
            self.assertEqual(runs[1].headers['Amps-Attempt'], '2')
            self.assertEqual(runs[1].body, runs[0].body)
            self.assertNotEqual(runs[1].headers['Amps-Job-Id'], runs[0].headers['Amps-Job-Id'])
            self.assertEqual(amps.metric('amps_job_outcomes_total{outcome="expired"}'), 1)
            amps.stop()
            self.assertEqual(queue.count(), 0)

    def test_a_thousand_wait_in_a_slow_workload(self):
        queue = self.queue(QUEUE_TYPES[-1])
        count = 1000
        queue.fill(event(number) for number in range(count))
        done = threading.Event()

        def hold(_):
            done.wait(60)
            return 200

        with Workload(hold) as workload, \
                Amps(self.node.uri, queue.name, workload, MAX_CONCURRENCY=count,
                     WORKLOAD_MODE='sync') as amps:
            wait_until(lambda: workload.busy == count, 60, 'all being there')
            done.set()
            wait_until(lambda: amps.get('/health').json['job_count'] == 0, what='all being done')
            amps.stop()
            self.assertEqual(queue.count(), 0)


if __name__ == '__main__':
    unittest.main()
