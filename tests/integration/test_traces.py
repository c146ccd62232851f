# SPDX-License-Identifier: MIT
"""Traces run through AMPS, and what it records of them comes to a collector."""

import threading
import time
import unittest

from amps import Amps, wait_until
from broker import BrokerTest, event
from collector import Collector
from workload import Workload, acknowledge

TRACE = '0af7651916cd43dd8448eb211c80319c'
PRODUCER = 'b7ad6b7169203331'
PARENT = f'00-{TRACE}-{PRODUCER}-01'
SECRET = 'hunter2'

CLIENT, PRODUCES, CONSUMES = 3, 4, 5


def settings(collector, **more):
    """Of an AMPS that sends what it records there."""
    return {'OTEL_EXPORTER_OTLP_ENDPOINT': collector.endpoint, **more}


class Traces(BrokerTest):
    """With a real broker and a collector that takes only what is right."""

    def run_jobs(self, collector, events, answer=acknowledge, **more):
        """An AMPS that has run these to their ends and has stopped; returns its queue."""
        queue = self.queue()
        with Workload(answer) as workload, \
                Amps(self.node.uri, queue.name, workload, **settings(collector, **more)) as amps:
            amps.wait_ready()
            for each in events:
                queue.publish(each)
            workload.wait(len(events))
            wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0, what='the end of all')
            self.assertEqual(amps.stop(), 0)
            self.log = amps.log
            self.posts = workload.posts
        return queue

    def test_spans_of_a_job(self):
        """All that it did, sent at the end of the process at the latest."""
        with Collector() as collector:
            queue = self.run_jobs(
                collector, [event('a', traceparent=PARENT, data={'password': SECRET})],
                OTEL_SERVICE_NAME='mail', OTEL_RESOURCE_ATTRIBUTES='host.name=h%201',
                OTEL_EXPORTER_OTLP_HEADERS=f'Authorization=Bearer%20{SECRET}')
            process, = collector.named(f'process {queue.name}')
            post, = collector.named('POST')
        self.assertEqual(collector.requests[0]['Authorization'], f'Bearer {SECRET}')
        self.assertEqual((process.trace, process.parent, process.kind), (TRACE, PRODUCER, CONSUMES))
        self.assertEqual((post.trace, post.parent, post.kind), (TRACE, process.id, CLIENT))
        self.assertEqual(self.posts[0].headers['traceparent'], f'00-{TRACE}-{post.id}-01')
        self.assertEqual(process.attributes | {
            'messaging.destination.name': queue.name, 'messaging.message.id': 'a',
            'cloudevents.event_id': 'a', 'cloudevents.event_source': '/test',
            'cloudevents.event_type': 'test', 'amps.outcome': 'acknowledged', 'amps.attempt': 1,
            'amps.job_id': self.posts[0].headers['Amps-Job-Id'],
        }, process.attributes)
        self.assertEqual(process.resource['service.name'], 'mail')
        self.assertEqual(process.resource['host.name'], 'h 1')
        self.assertFalse(process.failed or post.failed)
        # Within a minute of now, whatever the clock of the spans is.
        self.assertLess(abs(process.begun / 1e9 - time.time()), 60)
        self.assertNotIn(SECRET, ''.join(collector.bodies) + self.log)

    def test_not_sampled(self):
        """Nothing is sent, and the workload is told so."""
        with Collector() as collector:
            self.run_jobs(collector, [event('a', traceparent=PARENT[:-1] + '0')])
        self.assertEqual(self.posts[0].headers['traceparent'], PARENT[:-1] + '0')
        self.assertEqual(collector.requests, [])

    def test_off(self):
        """The context is passed on as it came."""
        with Collector() as collector:
            self.run_jobs(collector, [event('a', traceparent=PARENT, tracestate='k=v')],
                          OTEL_SDK_DISABLED='true')
        self.assertEqual(self.posts[0].headers['traceparent'], PARENT)
        self.assertEqual(self.posts[0].headers['tracestate'], 'k=v')
        self.assertEqual(collector.requests, [])

    def test_retry_and_dead_letter_keep_the_context(self):
        """Each attempt is beside the last one, and what is given up still tells its trace."""
        queue = self.queue()
        dead = self.queue()
        with Collector() as collector, Workload(lambda post: 500) as workload, \
                Amps(self.node.uri, queue.name, workload,
                     **settings(collector, MAX_ATTEMPTS=2, RETRY_MIN_BACKOFF='1s',
                                RETRY_MAX_BACKOFF='1s', DEAD_LETTER_QUEUE=dead.name)) as amps:
            amps.wait_ready()
            queue.publish(event('a'), headers={'traceparent': PARENT, 'tracestate': 'k=v'})
            dead.wait_count(1)
            self.assertEqual(amps.stop(), 0)
            runs = collector.named(f'process {queue.name}')
            self.assertEqual([run.attributes['amps.attempt'] for run in runs], [1, 2])
            self.assertEqual({(run.trace, run.parent, run.state, run.failed) for run in runs},
                             {(TRACE, PRODUCER, 'k=v', True)})
        headers = dead.take()[0].headers
        self.assertEqual((headers['traceparent'], headers['tracestate']), (PARENT, 'k=v'))

    def test_publish_passes_the_context_on(self):
        """By the message's headers: its own place with spans, the caller's without."""
        target = self.queue()
        trace = {'traceparent': PARENT, 'tracestate': 'k=v'}
        for disabled in ('false', 'true'):
            with Collector() as collector, \
                    Amps(self.node.uri, self.queue().name,
                         **settings(collector, OTEL_SDK_DISABLED=disabled)) as amps:
                amps.wait_listening()
                wait_until(lambda: amps.post('/publish', event('n', type=target.name),
                                             **trace).status == 202, what='a broker')
                headers = target.take()[0].headers
                self.assertEqual(amps.stop(), 0)
                spans = collector.named(f'publish {target.name}')
            self.assertEqual(headers['tracestate'], 'k=v')
            if disabled == 'true':
                self.assertEqual(headers['traceparent'], PARENT)
                continue
            self.assertEqual((spans[-1].trace, spans[-1].parent, spans[-1].kind),
                             (TRACE, PRODUCER, PRODUCES))
            self.assertEqual(headers['traceparent'], f'00-{TRACE}-{spans[-1].id}-01')

    def test_collector_that_is_bad_costs_jobs_nothing(self):
        """Slow, asking for patience, or not there."""
        hold = threading.Event()
        self.addCleanup(hold.set)
        answers = {
            'slow': lambda: (hold.wait(), 200)[1],
            'patient': lambda: (429, {'Retry-After': '3600'}),
        }
        for name, answer in answers.items():
            with self.subTest(name), Collector(answer) as collector:
                self.assert_quick(collector)
        collector = Collector()
        collector.stop()
        self.assert_quick(collector)

    def assert_quick(self, collector):
        """Jobs with more spans than may wait are done as if nobody recorded them."""
        queue = self.queue()
        queue.fill(event(number) for number in range(1100))
        with Workload() as workload, \
                Amps(self.node.uri, queue.name, workload, DEBUG='false',
                     **settings(collector)) as amps:
            wait_until(lambda: amps.metric('amps_workloads_acknowledged_total') == 1100, 60,
                       'all jobs')
            wait_until(lambda: amps.metric('amps_spans_dropped_total') >= 2200 - 2048,
                       what='dropped spans')
            began = time.monotonic()
            self.assertEqual(amps.stop(), 0)
            self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(queue.count(), 0)

    def test_all_spans_of_many_jobs(self):
        """None is lost or sent twice while the collector keeps up."""
        with Collector() as collector:
            queue = self.queue()
            queue.fill(event(number) for number in range(700))
            with Workload() as workload, \
                    Amps(self.node.uri, queue.name, workload, DEBUG='false', MAX_CONCURRENCY=10,
                         **settings(collector)) as amps:
                wait_until(lambda: amps.metric('amps_workloads_acknowledged_total') == 700, 60,
                           'all jobs')
                self.assertEqual(amps.metric('amps_spans_dropped_total'), 0)
                self.assertEqual(amps.stop(), 0)
            self.assertEqual(len({(span.trace, span.id) for span in collector.spans}), 1400)
            self.assertEqual(len(collector.spans), 1400)
            self.assertEqual({span.attributes['cloudevents.event_id']
                              for span in collector.named(f'process {queue.name}')},
                             {str(number) for number in range(700)})

    def test_idle_amps_sends_nothing(self):
        """And makes no connection."""
        with Collector() as collector, \
                Amps(self.node.uri, self.queue().name, **settings(collector)) as amps:
            amps.wait_listening()
            time.sleep(6)
            self.assertEqual(amps.stop(), 0)
        self.assertEqual(collector.requests, [])


if __name__ == '__main__':
    unittest.main()
