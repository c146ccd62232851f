# SPDX-License-Identifier: MIT
"""An acknowledgement that publishes first, with a broker that confirms on command."""

import json
import threading
import time
import unittest

from amps import Amps, wait_until
from broker import event
from scripted_broker import ScriptedBroker, delivery
from workload import Workload

ACKNOWLEDGED = (80, 1)


class Chains(unittest.TestCase):
    """`publish` of /acknowledge, and events as answers."""

    def setUp(self):
        self.broker = ScriptedBroker()
        self.addCleanup(self.broker.close)
        self.broker.on_consume = lambda connection: connection.send(delivery(1, event('a')))

    def amps(self, answer, **settings):
        """A workload with these answers, and an AMPS that has one job for it."""
        workload = Workload(answer)
        self.addCleanup(workload.stop)
        amps = Amps(self.broker.uri, 'q', workload, **settings)
        self.addCleanup(amps.__exit__)
        workload.wait(1)
        return workload, amps.wait_ready()

    def settled(self):
        """What the broker was told, of all connections."""
        return [each for connection in self.broker.connections for each in connection.settled]

    def finish(self, amps):
        """The call that is made again and again in these tests."""
        return amps.post('/acknowledge', {'identifier': 'a', 'publish': [
            json.loads(event('n', type='next')), json.loads(event('m', type='next'))]})

    def test_repeat_publishes_only_what_was_not_confirmed(self):
        _, amps = self.amps(lambda _: 202)
        for refused, published in ((2, 2), (3, 3)):
            self.broker.on_publish = lambda connection, tag, refused=refused: connection.confirm(
                tag, tag != refused)
            answer = self.finish(amps)
            self.assertEqual(answer.status, 503)
            self.assertEqual(answer.headers['Content-Type'], 'application/problem+json')
            self.assertIn('Retry-After', answer.headers)
            self.assertEqual(self.broker.publisher().published, published)
            self.assertEqual(amps.get('/jobs/a').json['state'], 'running')
            self.assertEqual(self.settled(), [])
        self.assertEqual(self.finish(amps).status, 202)
        self.assertEqual(self.broker.publisher().published, 4)
        wait_until(lambda: self.settled() == [ACKNOWLEDGED], what='the acknowledgement')
        # It is remembered, and publishes nothing.
        self.assertEqual(self.finish(amps).status, 202)
        self.assertEqual(self.broker.publisher().published, 4)

    def test_time_stands_still_and_rivals_wait(self):
        tags, statuses = [], []
        self.broker.on_publish = lambda _, tag: tags.append(tag)
        _, amps = self.amps(lambda _: 202, JOB_TIMEOUT='1s')
        caller = threading.Thread(target=lambda: statuses.append(self.finish(amps).status))
        caller.start()
        wait_until(lambda: len(tags) == 2, what='the publications')
        for path, members in (('/acknowledge', {}), ('/reject', {}),
                              ('/reject', {'reschedule': True}),
                              ('/acknowledge', {'publish': json.loads(event('o', type='next'))})):
            answer = amps.post(path, {'identifier': 'a', **members})
            self.assertEqual(answer.status, 503, path)
            self.assertIn('Retry-After', answer.headers)
        self.assertEqual(amps.post('/heartbeat', {'identifier': 'a'}).status, 200)
        time.sleep(2)
        self.assertEqual(amps.get('/jobs').json['count'], 1)
        for tag in tags:
            self.broker.publisher().confirm(tag)
        caller.join()
        self.assertEqual((statuses, tags), ([202], [1, 2]))
        wait_until(lambda: self.settled() == [ACKNOWLEDGED], what='the acknowledgement')

    def test_answer_that_can_not_be_published_now_is_not_to_blame(self):
        self.broker.on_publish = lambda connection, tag: connection.confirm(tag, tag > 1)
        workload, _ = self.amps(
            lambda _: (200, {'Content-Type': 'application/cloudevents+json'},
                       event('n', type='next')),
            WORKLOAD_MODE='sync', RETRY_MIN_BACKOFF='200ms', RETRY_MAX_BACKOFF='200ms',
            MAX_ATTEMPTS=1)
        wait_until(lambda: self.settled() == [ACKNOWLEDGED], what='the acknowledgement')
        self.assertEqual([post.headers['Amps-Attempt'] for post in workload.posts], ['1', '1'])
        self.assertEqual(self.broker.publisher().published, 2)


if __name__ == '__main__':
    unittest.main()
