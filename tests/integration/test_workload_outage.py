# SPDX-License-Identifier: MIT
"""A workload that is away: what AMPS does until it is back."""

import time
import unittest

from amps import Amps, wait_until
from broker import BrokerTest, event
from workload import Workload, acknowledge


class WorkloadOutage(BrokerTest):
    """Nothing is taken that can't be POSTed."""

    def test_workload_away_and_back(self):
        queue = self.queue()
        with Workload() as workload, \
                Amps(self.node.uri, queue.name, workload).wait_ready() as amps:
            workload.stop()
            for number in range(5):
                queue.publish(event(number))
            wait_until(lambda: amps.get('/readyz').status == 503, what='noticing')
            self.assertIn('workload', amps.log)
            self.assertEqual(amps.metric('amps_consumer_paused{reason="workload"}'), 1)
            used = self.cpu(amps)
            time.sleep(3)
            self.assertLess(self.cpu(amps) - used, 0.05 * 3)
            workload.start()
            began = time.monotonic()
            posts = workload.wait(5)
            self.assertLess(time.monotonic() - began, 2.5)
            self.assertEqual({post.headers['Amps-Attempt'] for post in posts}, {'1'})
            amps.stop()
        queue.wait_count(0)

    def test_other_replicas_get_what_waits_for_a_workload(self):
        queue = self.queue()
        with Workload() as mine, Workload() as other, \
                Amps(self.node.uri, queue.name, mine,
                     WORKLOAD_RESTART='keep').wait_ready() as amps:
            mine.answer = lambda _: 202
            queue.publish(event('runs'))
            mine.wait(1)
            mine.stop()
            queue.publish(event('waits'))
            wait_until(lambda: amps.get('/jobs').body.count('"waiting"') == 1, what='waiting')
            self.assertIn('onnect', amps.get('/readyz').body)
            with Amps(self.node.uri, queue.name, other):
                time.sleep(5)
                self.assertEqual(other.posts, [])
                post = other.wait(1, timeout=40)[0]
                self.assertEqual((post.id, post.headers['Amps-Attempt']), ('waits', '1'))
                self.assertEqual([job['id'] for job in amps.get('/jobs').json['jobs']], ['runs'])

    def cpu(self, amps):
        """Seconds of a core that it has used."""
        with open(f'/proc/{amps.process.pid}/stat', encoding='ascii') as stat:
            fields = stat.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def test_errors_are_not_an_outage(self):
        queue = self.queue()
        queue.publish(event('a'))
        with Workload(lambda _: 500) as workload, \
                Amps(self.node.uri, queue.name, workload).wait_ready() as amps:
            workload.wait(1)
            wait_until(lambda: amps.metric('amps_workload_requests_total{code="5xx"}') == 1,
                       what='the answer')
            self.assertTrue(amps.is_ready())
            self.assertEqual(amps.metric('amps_consumer_paused{reason="workload"}'), 0)

    def test_wrong_address_takes_no_job_with_it(self):
        """One path off, and the server answers 404: with no setting but the address all
        jobs wait, and AMPS says so."""
        queue = self.queue()
        for number in range(200):
            queue.publish(event(number))
        with Workload(lambda _: 404) as workload, Amps(self.node.uri, queue.name, workload) as amps:
            amps.wait_listening()
            wait_until(lambda: '404' in amps.get('/readyz').body, what='noticing')
            ready = amps.get('/readyz')
            self.assertEqual(ready.status, 503)
            self.assertIn(f'POST {workload.address}', ready.json['details'])
            self.assertIn('WORKLOAD_ADDRESS', ready.json['details'])
            self.assertEqual(amps.metric('amps_consumer_paused{reason="refused"}'), 1)
            self.assertIn('"level":"warning","message":"Jobs are refused: the workload answered '
                          '404', amps.log)
            time.sleep(1)  # Those that were under way are answered.
            posts = len(workload.posts)
            time.sleep(3)
            self.assertLessEqual(len(workload.posts), posts + 8)
            workload.answer = acknowledge
            wait_until(lambda: amps.metric('amps_workloads_acknowledged_total') == 200, 60,
                       'the end of all')
            self.assertEqual({post.headers['Amps-Attempt'] for post in workload.posts}, {'1'})
            self.assertTrue(amps.is_ready())
            self.assertEqual(amps.metric('amps_consumer_paused{reason="refused"}'), 0)
            amps.stop()
        queue.wait_count(0)


if __name__ == '__main__':
    unittest.main()
