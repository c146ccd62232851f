# SPDX-License-Identifier: MIT
"""What is logged in a whole run: events that are documented, and no body or secret."""

import json
import os
import pathlib
import re
import signal
import tempfile
import time
import unittest

from amps import Amps, wait_until
from broker import BrokerTest, event
from proxy import Proxy
from workload import Workload

MANUAL = pathlib.Path(__file__).parents[2] / 'docs/reference/logs.md'
# In each place where a stranger's or a secret text may be.
CANARY = 'c4n4ry'
TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'


def answer(post):
    """By what is in the event."""
    status = post.event['data']['status']
    if status is None:
        time.sleep(1.5)
    return status or 200, {'X-Answer': CANARY}, f'{CANARY} in an answer'.encode()


class Logs(BrokerTest):
    """With the debug log, as JSON."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        """A file with a secret."""
        path = os.path.join(self.folder, name)
        pathlib.Path(path).write_text(text + '\n', encoding='ascii')
        return path

    def call(self, amps, body):
        """Publishes; returns the status."""
        return amps.post('/publish', body, Authorization=f'Bearer token-{CANARY}').status

    def run_through(self, amps, queue):
        """As much as can happen in a few seconds."""
        def publish(identifier, status, **headers):
            queue.publish(event(identifier, data={'status': status, 'text': CANARY}),
                          headers={'x-own': CANARY, **headers})

        publish('done', 200, traceparent=f'00-{TRACE}-00f067aa0ba902b7-01')
        publish('refused', 422)
        publish('failed', 500)
        publish('slow', None)
        publish('late', 202)
        queue.publish(f'{{"specversion":"1.0","id":"broken","data":"{CANARY}'.encode())
        queue.publish(event('binary', data=CANARY), headers={'ce-id': CANARY + '\n'})
        self.assertEqual(self.call(amps, {'specversion': '1.0', 'data': CANARY}), 400)
        self.assertEqual(self.call(amps, event('x', type='nowhere', data=CANARY)), 404)
        self.assertEqual(amps.call('GET', '/jobs?' + CANARY, headers={
            'Authorization': f'Bearer wrong-{CANARY}', 'X-Own': CANARY}).status, 401)
        amps.wait_log('"event":"job-expired"')
        self.write('token', f'token with blanks {CANARY}')
        amps.process.send_signal(signal.SIGHUP)
        amps.wait_log('"event":"secrets-kept"')

    def assert_line_is_good(self, line, levels):
        """It is one of the manual, and complete."""
        self.assertIn(line['event'], levels)
        self.assertTrue(levels[line['event']] == 'any'
                        or line['level'] in levels[line['event']].split(', '), line)
        if line['event'].startswith('job-'):
            self.assertTrue(line['queue'], line)
            self.assertTrue('job_id' in line or line['reason'] == 'malformed', line)
        if line['event'] in ('job-rejected', 'job-expired', 'job-malformed'):
            self.assertRegex(line['reason'], '^(rejected|malformed|status|max-attempts|expired)$')

    def test_whole_run(self):
        self.node.control('add_user', 'logs', f'password-{CANARY}')
        self.addCleanup(self.node.control, 'delete_user', 'logs')
        self.node.control('set_permissions', 'logs', '.*', '.*', '.*')
        proxy = Proxy(self.node.port)
        queue = self.queue()
        secrets = {
            'BROKER_HOST_FILE': self.write('broker', f'amqp://logs:password-{CANARY}@127.0.0.1:'
                                                     f'{proxy.port}?heartbeat=5'),
            'API_TOKEN_FILE': self.write('token', f'token-{CANARY}'),
            'SENTRY_DSN': f'http://{CANARY}@127.0.0.1:9/1',
        }
        with Workload(answer) as workload:
            secrets['WORKLOAD_ADDRESS'] = workload.address.replace('//', f'//user:{CANARY}@')
            with Amps('', queue.name, workload, WORKLOAD_MODE='sync', JOB_TIMEOUT='1s',
                      MAX_ATTEMPTS=2, RETRY_MIN_BACKOFF='1ms',
                      RETRY_MAX_BACKOFF='1ms', DRAIN_TIMEOUT='1s', **secrets) as amps:
                amps.wait_ready()
                self.run_through(amps, queue)
                proxy.cut()
                wait_until(lambda: amps.metric('amps_broker_reconnects_total') == 1, what='a new one')
                amps.stop()
                log = amps.log

        levels = dict(re.findall(r'^\| `([a-z-]+)` \| ([a-z, ]+) \|', MANUAL.read_text(), re.MULTILINE))
        lines = [json.loads(line) for line in log.splitlines()]
        for line in lines:
            self.assert_line_is_good(line, levels)
            self.assertNotIn(CANARY, json.dumps(line))
        seen = {line['event'] for line in lines}
        # What has not come was not looked at.
        self.assertLess({'settings', 'job-received', 'job-posted', 'job-answered', 'job-ended',
                         'job-settled', 'job-failed', 'job-expired', 'job-rejected',
                         'job-malformed', 'broker-connected', 'broker-failed', 'secrets-kept',
                         'jobs-detached', 'stopping'}, seen)
        traced = {line['job_id'] for line in lines if line.get('trace_id') == TRACE}
        self.assertEqual(traced, {'done'})


if __name__ == '__main__':
    unittest.main()
