# SPDX-License-Identifier: MIT
"""One trace through three AMPS and workloads with the official OpenTelemetry SDK."""

import unittest

import javascript
from amps import Amps, wait_until
from broker import BrokerTest, event
from collector import Collector

TRACE = '0af7651916cd43dd8448eb211c80319c'
PRODUCER = 'b7ad6b7169203331'


class TraceChain(BrokerTest):
    """Each workload publishes for the next one; the SDK sends its spans to the collector, too."""

    def start(self, collector, queue, follower, how):
        """An AMPS with a workload that publishes for the queue of the next one."""
        environment = {'OTEL_EXPORTER_OTLP_ENDPOINT': collector.endpoint,
                       'OTEL_SERVICE_NAME': f'workload-{queue.name}'}
        if follower is not None:
            environment.update(NEXT=follower.name, WITH=how)
        workload = javascript.Server('traced.js', **environment)
        self.addCleanup(workload.stop)
        amps = Amps(self.node.uri, queue.name, workload,
                    OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint,
                    OTEL_SERVICE_NAME=f'amps-{queue.name}')
        self.addCleanup(amps.__exit__)
        return amps.wait_ready()

    def test_chain(self):
        javascript.require()
        queues = [self.queue() for _ in range(3)]
        with Collector() as collector:
            chain = [self.start(collector, *each) for each in zip(
                queues, [*queues[1:], None], ('publish', 'acknowledge', None))]
            queues[0].publish(event('a', traceparent=f'00-{TRACE}-{PRODUCER}-01'))
            wait_until(lambda: chain[2].metric('amps_workloads_acknowledged_total') == 1,
                       what='the end of the chain')
            for amps in chain:
                self.assertEqual(amps.stop(), 0)
            # For each AMPS a run and a POST, of two a publication, too; of each workload the
            # work and its calls.
            wait_until(lambda: len(collector.spans) >= 15, what='all spans')
            self.assertEqual(len(collector.spans), 15)
            self.assert_path(collector, queues)

    def assert_path(self, collector, queues):
        """Each span is below the one that caused it, from the last one to the producer."""
        spans = {span.id: span for span in collector.spans}
        self.assertEqual({span.trace for span in collector.spans}, {TRACE})
        last, = (span for span in collector.named('POST acknowledge')
                 if span.resource['service.name'] == f'workload-{queues[2].name}')
        path = [last]
        while path[-1].parent in spans:
            path.append(spans[path[-1].parent])
        self.assertEqual(path[-1].parent, PRODUCER)

        one, two, three = (queue.name for queue in queues)
        self.assertEqual([(span.resource['service.name'], span.name) for span in path], [
            (f'workload-{three}', 'POST acknowledge'), (f'workload-{three}', 'work'),
            (f'amps-{three}', 'POST'), (f'amps-{three}', f'process {three}'),
            (f'amps-{two}', f'publish {three}'),
            (f'workload-{two}', 'POST acknowledge'), (f'workload-{two}', 'work'),
            (f'amps-{two}', 'POST'), (f'amps-{two}', f'process {two}'),
            (f'amps-{one}', f'publish {two}'),
            (f'workload-{one}', 'POST publish'), (f'workload-{one}', 'work'),
            (f'amps-{one}', 'POST'), (f'amps-{one}', f'process {one}'),
        ])


if __name__ == '__main__':
    unittest.main()
