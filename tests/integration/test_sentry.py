# SPDX-License-Identifier: MIT
"""Reports of errors, to a server that is as strict as Sentry's documentation."""

import json
import os
import pathlib
import signal
import ssl
import tempfile
import time
import unittest

import javascript
from amps import Amps, wait_until
from broker import event
from certificates import Authority
from embedded import EmbeddedTest
from sentry import KEY, Sentry
from workload import Workload

CANARY = 'c4n4ry'
TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'


def answer(post):
    """By what is in the event."""
    return post.event['data']['status'], {}, f'{CANARY} in an answer'.encode()


class SentryTest(EmbeddedTest):
    """SENTRY_DSN and ENVIRONMENT."""

    def setUp(self):
        super().setUp()
        self.sentry = self.enterContext(Sentry())
        self.workload = self.enterContext(Workload(answer))

    def amps(self, **settings):
        """One that reports."""
        settings.setdefault('SENTRY_DSN', self.sentry.dsn)
        return Amps(self.uri, 'jobs', self.workload, WORKER_ID='worker-1', ENVIRONMENT='staging',
                    **settings)

    def publish(self, amps, identifier, status=422, **members):
        """A job that is answered so."""
        answered = amps.post('/publish', event(identifier, type='jobs', data={
            'status': status, 'text': CANARY}, **members))
        self.assertEqual(answered.status, 202)

    def tearDown(self):
        self.assertEqual(self.sentry.faults, [])
        for envelope in self.sentry.envelopes:
            self.assertNotIn(CANARY, envelope)
            self.assertNotIn(KEY, envelope)
        super().tearDown()

    def test_rejected_job(self):
        with self.amps() as amps:
            amps.wait_ready()
            self.publish(amps, 'a', traceparent=f'00-{TRACE}-00f067aa0ba902b7-01')
            report, = wait_until(lambda: self.sentry.of('job-rejected'), what='the report')
            amps.stop()
            self.assertNotIn(KEY, amps.log)
        self.assertEqual(report['level'], 'warning')
        self.assertEqual(report['environment'], 'staging')
        self.assertEqual(report['server_name'], 'worker-1')
        self.assertEqual(report['tags'], {'event': 'job-rejected', 'queue': 'jobs',
                                          'reason': 'status'})
        self.assertEqual(report['extra'], {'job_id': 'a', 'trace_id': TRACE})
        self.assertEqual(report['fingerprint'], ['job-rejected', 'status'])
        # What the workload said stays in the pod.
        self.assertEqual(report['logentry'], {'formatted': 'job-rejected'})

    def test_official_parser(self):
        """Sentry's own JavaScript reads the same in the envelopes."""
        javascript.require()
        with self.amps() as amps:
            amps.wait_ready()
            self.publish(amps, 'a')
            wait_until(lambda: self.sentry.of('job-rejected'), what='the report')
            amps.stop()
        parsed = javascript.run('envelope.js', stdin=json.dumps(self.sentry.envelopes))
        self.assertEqual(len(parsed), len(self.sentry.events))
        for (header, ((item, found),)), expected in zip(parsed, self.sentry.events):
            self.assertEqual(header['event_id'], expected['event_id'])
            self.assertEqual((item['type'], item['content_type']), ('event', 'application/json'))
            self.assertEqual(found, expected)

    def test_limits(self):
        with self.amps(MAX_CONCURRENCY=50) as amps:
            amps.wait_ready()
            for number in range(30):
                self.publish(amps, number)
            wait_until(lambda: amps.metric('amps_error_reports_total{result="limited"}') == 25,
                       what='the own limit')
            self.assertEqual(len(self.sentry.of('job-rejected')), 5)
            # Sentry says when it wants no more, though it has taken this one.
            self.sentry.answer = (200, {'X-Sentry-Rate-Limits': '60:error:organization'})
            self.queue().publish(b'1')
            wait_until(lambda: amps.metric('amps_error_reports_total{result="sent"}') == 6,
                       what='the report')
            self.queue().publish(b'2')
            wait_until(lambda: amps.metric('amps_error_reports_total{result="limited"}') == 26,
                       what='the limit of Sentry')
            self.assertEqual(len(self.sentry.events), 6)

    def test_last_words(self):
        """What is logged at the end is still sent."""
        with self.amps(DRAIN_TIMEOUT='100ms') as amps:
            amps.wait_ready()
            self.publish(amps, 'a', 202)
            self.workload.wait(1)
            self.assertEqual(amps.stop(), 0)
        self.assertEqual(len(self.sentry.of('drain-timeout')), 1)

    def test_sentry_that_hangs(self):
        """It keeps nobody: neither jobs nor the end."""
        with self.amps() as amps:
            amps.wait_ready()
            self.sentry.hold.clear()
            for number in range(10):
                self.publish(amps, number)
            wait_until(lambda: amps.metric('amps_job_outcomes_total{outcome="rejected"}') == 10,
                       what='all outcomes')
            begin = time.monotonic()
            self.assertEqual(amps.stop(), 0)
            # Its own bound is 2 s.
            self.assertLess(time.monotonic() - begin, 10)
            self.assertNotIn('"critical"', amps.log)

    def test_no_sentry(self):
        """One warning, which is not reported, and jobs go on."""
        self.sentry.__exit__()
        with self.amps() as amps:
            amps.wait_ready()
            self.publish(amps, 'a')
            amps.wait_log('"event":"sentry-failed"')
            self.publish(amps, 'b', 200)
            wait_until(lambda: amps.metric('amps_error_reports_total{result="failed"}') == 1,
                       what='the failure')
            self.assertEqual(amps.stop(), 0)
            self.assertEqual(amps.log.count('"sentry-failed"'), 1)
            self.assertNotIn(KEY, amps.log)

    def test_certificate(self):
        """The key is for nobody whom the system does not know."""
        certificate, key = Authority(self.folder).issue('sentry')
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        with Sentry(tls) as stranger, self.amps(SENTRY_DSN=stranger.dsn) as amps:
            amps.wait_ready()
            self.publish(amps, 'a')
            amps.wait_log('"event":"sentry-failed"')
            self.assertIn('certificate', amps.log)
            amps.stop()
            self.assertEqual((stranger.events, stranger.faults), ([], []))

    def test_secret_file(self):
        """A DSN that is renewed counts from the next report on."""
        with Sentry() as second, tempfile.TemporaryDirectory(prefix='amps-test-') as folder:
            path = pathlib.Path(folder, 'dsn')
            path.write_text(self.sentry.dsn + '\n', encoding='ascii')
            with self.amps(SENTRY_DSN='', SENTRY_DSN_FILE=path) as amps:
                amps.wait_ready()
                self.publish(amps, 'a')
                wait_until(lambda: self.sentry.events, what='the first report')
                path.write_text(second.dsn + '\n', encoding='ascii')
                os.kill(amps.process.pid, signal.SIGHUP)
                amps.wait_log('secrets-read')
                self.publish(amps, 'b')
                wait_until(lambda: second.events, what='the second report')
                shown = [amps.get(path).body for path in ('/health/detailed', '/readyz')]
                amps.stop()
                for text in (*shown, amps.log):
                    self.assertNotIn(KEY, text)
            self.assertEqual(second.faults, [])

    def test_malformed(self):
        """A message that is not a CloudEvent is reported without a word of it."""
        with self.amps() as amps:
            amps.wait_ready()
            self.queue().publish(f'{{"specversion":"{CANARY}","id":"{CANARY}"}}'.encode())
            report, = wait_until(lambda: self.sentry.of('job-malformed'), what='the report')
        self.assertEqual(report['extra'], {})
        self.assertEqual(report['tags']['reason'], 'malformed')


if __name__ == '__main__':
    unittest.main()
