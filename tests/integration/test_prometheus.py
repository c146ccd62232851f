# SPDX-License-Identifier: MIT
"""What a real Prometheus makes of the metrics, the alerts and the dashboard."""

import json
import pathlib
import re
import shutil
import threading
import time
import unittest

from amps import Amps, wait_until
from broker import BrokerTest, event
from prometheus import Prometheus
from workload import Workload, acknowledge

DATA = pathlib.Path(__file__).resolve().parents[2] / 'data'
OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'


def answer(post):
    """The event says what; what fails does so once."""
    status = post.event['data']['status']
    if status == 204 or status == 500 and post.headers['Amps-Attempt'] != '1':
        return acknowledge(post)
    return status


class PrometheusTest(BrokerTest):
    """An AMPS that is busy, and a Prometheus that scrapes it."""

    def setUp(self):
        self.stopping = threading.Event()

    def keep_busy(self, amps, queue):
        """Publishes a bit of everything, every 50 ms."""
        for number in range(10 ** 6):
            if self.stopping.wait(0.05):
                return
            status = {3: 422, 5: 500}.get(number % 9, 204)
            sampled = number % 2
            if number % 9 == 7:
                amps.post('/publish', event('x', type='nowhere'))
            queue.publish(event(number, data={'status': status},
                                traceparent=f'00-{TRACE}-00f067aa0ba902b7-0{sampled}'))

    def busy(self):
        """An AMPS with a queue that is never empty for long."""
        queue = self.queue()
        workload = Workload(answer)
        self.addCleanup(workload.stop)
        amps = self.enterContext(Amps(self.node.uri, queue.name, workload,
                                      RETRY_MIN_BACKOFF='1ms', RETRY_MAX_BACKOFF='1ms'))
        amps.wait_ready()
        publisher = threading.Thread(target=self.keep_busy, args=(amps, queue))
        publisher.start()
        self.addCleanup(publisher.join)
        self.addCleanup(self.stopping.set)
        return amps

    def test_openmetrics(self):
        """By the rules of the official client library's strict parser."""
        amps = self.busy()
        wait_until(lambda: f'trace_id="{TRACE}"' in self.scrape(amps).body, what='an exemplar')
        scraped = self.scrape(amps)
        self.assertEqual(scraped.headers['Content-Type'], OPENMETRICS)
        self.assertEqual(scraped.headers['Vary'], 'Accept')
        try:
            from prometheus_client.openmetrics.parser import text_string_to_metric_families
        except ImportError:
            self.skipTest('there is no python3-prometheus-client')
        families = {family.name: family for family in text_string_to_metric_families(scraped.body)}
        plain = amps.call('GET', '/metrics', port=amps.metrics_port)
        self.assertEqual(plain.headers['Content-Type'], 'text/plain; version=0.0.4; charset=utf-8')
        self.assertNotIn(TRACE, plain.body)
        names = set(re.findall(r'^# TYPE (\S+)', plain.body, re.MULTILINE))
        self.assertEqual(set(families), {name.removesuffix('_total') for name in names})
        exemplars = {family.name: [sample.exemplar for sample in family.samples if sample.exemplar]
                     for family in families.values()}
        self.assertEqual({name for name, found in exemplars.items() if found},
                         {'amps_job_duration_seconds', 'amps_delivery_latency_seconds'})
        for exemplar in sum(exemplars.values(), []):
            self.assertEqual(exemplar.labels, {'trace_id': TRACE})
            self.assertLess(abs(float(exemplar.timestamp) - time.time()), 60)

    @staticmethod
    def scrape(amps):
        """As Prometheus does."""
        return amps.call('GET', '/metrics', port=amps.metrics_port, headers={
            'Accept': 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5'})

    @staticmethod
    def alerts(prometheus):
        """The names of those that are firing or pending."""
        return {alert['labels']['alertname'] for alert in prometheus.ask('alerts')['alerts']}

    @staticmethod
    def queries():
        """Those of the dashboard, by panel; as Grafana would send them."""
        dashboard = json.loads((DATA / 'grafana/amps.json').read_text())
        panels = dashboard['panels'] + dashboard['annotations']['list']
        for panel in panels:
            for target in panel.get('targets', [panel] if 'expr' in panel else []):
                yield (panel.get('title', panel.get('name')),
                       target['expr'].replace('$__rate_interval', '10s').replace('$job', 'amps')
                       .replace('$instance', '.*'))

    @unittest.skipIf(shutil.which('prometheus') is None, 'there is no prometheus')
    def test_prometheus(self):
        amps = self.busy()
        with Prometheus([amps.metrics_port], DATA / 'prometheus/amps.rules.yml') as prometheus:
            prometheus.wait_up()
            wait_until(lambda: prometheus.exemplars('amps_job_duration_seconds_bucket'),
                       what='an exemplar')
            # Three scrapes at least, so that there are rates, and the queues are counted.
            wait_until(lambda: prometheus.query('rate(amps_job_outcomes_total[10s]) > 0'),
                       what='a rate')
            wait_until(lambda: prometheus.query('amps_queue_messages{queue=~".+dead"}'),
                       what='depths of queues')

            exemplar = prometheus.exemplars('amps_job_duration_seconds_bucket')[0]
            self.assertEqual(exemplar['labels'], {'trace_id': TRACE})
            self.assertEqual(len(prometheus.query('amps_ready == 1')), 1)
            counted, = prometheus.query('amps_job_outcomes_total{outcome="acknowledged"}')
            self.assertGreater(counted[1], 0)
            self.assertLessEqual(counted[1],
                                 amps.metric('amps_job_outcomes_total{outcome="acknowledged"}'))

            for title, query in self.queries():
                with self.subTest(title, query=query):
                    values = [value for _, value in prometheus.query(query)]
                    # Nobody has restarted AMPS.
                    self.assertEqual(bool(values), title != 'Starts')
                    if 'quantile' in query:
                        self.assertGreater(values[0], 0)
            self.assertLess(20, len(list(self.queries())))

            wait_until(lambda: self.alerts(prometheus) >= {'AmpsDeadLetters',
                                                           'AmpsPublicationsRefused'},
                       what='the alerts')
            self.assertNotIn('AmpsNotReady', self.alerts(prometheus))
            rules = prometheus.ask('rules')['groups'][0]['rules']
            self.assertEqual({rule['health'] for rule in rules}, {'ok'})
            self.assertNotIn('level=error', prometheus.log)


if __name__ == '__main__':
    unittest.main()
