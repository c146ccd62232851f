# SPDX-License-Identifier: MIT
"""Jobs whose delivery the broker took back while their workloads go on."""

import time
import unittest

from amps import Amps, wait_until
from broker import QUEUE_TYPES, BrokerTest, event
from proxy import Proxy
from workload import Workload, acknowledge


class Detached(BrokerTest):
    """A job runs on when its delivery is lost, and settles the redelivery."""

    def started(self, queue, count=1, uri=None, **settings):
        """An AMPS with so many running jobs, `0`, `1`… in the queue."""
        workload = Workload(lambda _: 202)
        self.addCleanup(workload.stop)
        for number in range(count):
            queue.publish(event(number))
        amps = Amps(uri or self.node.uri, queue.name, workload, **settings)
        self.addCleanup(amps.__exit__)
        workload.wait(count)
        wait_until(lambda: amps.get('/jobs').body.count('"running"') == count, what='running')
        return workload, amps

    def proxy(self):
        """A way to the broker that can be broken, and its URI."""
        proxy = Proxy(self.node.port)
        return proxy, f'amqp://guest:guest@127.0.0.1:{proxy.port}?heartbeat=2'

    def causes(self):
        """Each way in which a delivery is taken back: how to do it, and to wait until the
        broker hands the message out again."""
        proxy, through_proxy = self.proxy()

        def stall():
            proxy.stall()
            time.sleep(6)
            proxy.resume()

        def close():
            self.node.control('close_all_connections', 'test')

        def restart():
            self.node.let_queues_settle()
            self.node.stop()
            self.node.start()
            self.node.wait_until_ready()

        yield 'connection cut', through_proxy, proxy.cut
        yield 'connection stalled', through_proxy, stall
        yield 'connection closed by the operator', self.node.uri, close
        yield 'broker killed', self.node.uri, restart

    def test_each_outcome_after_each_cause(self):
        for queue_type, (name, uri, lose) in (
                (queue_type, cause) for queue_type in QUEUE_TYPES for cause in self.causes()):
            with self.subTest(queue=queue_type, cause=name):
                self.assert_outcomes(queue_type, uri, lose)

    def assert_outcomes(self, queue_type, uri, lose):
        """Three outcomes while detached, three when attached again, and no second POST but of
        those that are rescheduled."""
        dead, queue = self.queue(queue_type), self.queue(queue_type)
        workload, amps = self.started(queue, 6, uri, DEAD_LETTER_QUEUE=dead.name)
        posts = list(workload.posts)
        by_id = {post.id: post for post in posts}

        workload.answer = acknowledge
        amps.post('/pause')
        lose()
        wait_until(lambda: 'go on detached' in amps.log, 30, 'being detached')
        self.assertEqual(by_id['0'].acknowledge(), 202)
        self.assertEqual(by_id['0'].acknowledge(), 202)
        self.assertEqual(by_id['0'].tell('/reject'), 409)
        self.assertEqual(by_id['1'].tell('/reject', reason='detached'), 202)
        self.assertEqual(by_id['2'].tell('/reject', reschedule=True), 202)
        self.assertEqual(dead.count(), 0)
        amps.post('/resume')

        wait_until(lambda: amps.log.count('is attached') == 3, 60, 'three being attached')
        wait_until(lambda: amps.log.count('had ended') == 3, 20, 'three being settled')
        self.assertEqual(by_id['3'].acknowledge(), 202)
        self.assertEqual(by_id['4'].tell('/reject', reason='attached'), 202)
        self.assertEqual(by_id['5'].tell('/reject', reschedule=True, delay='1s'), 202)

        details = sorted(dead.take()[0].headers['x-amps-detail'] for _ in range(2))
        self.assertEqual(details, ['attached', 'detached'])
        workload.wait(8)
        wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end')
        self.assertEqual(sorted(post.id for post in workload.posts[6:]), ['2', '5'])
        self.assertEqual(amps.stop(), 0)
        queue.wait_count(0)
        self.assertEqual(dead.count(), 0)

    def redeliver(self, queue, body, **headers):
        """Puts a message into the queue that was handed out before."""
        queue.publish(body, headers=headers or None)
        wait_until(lambda: queue.count() == 1, what='the message')
        method, _, _ = queue.channel().basic_get(queue.name)
        queue.channel().basic_nack(method.delivery_tag)
        wait_until(lambda: queue.count() == 1, what='the message again')

    def test_when_a_finished_job_may_answer(self):
        """Only a redelivery of the same attempt, after the connection died, and once."""
        cases = {
            'the connection lives': (False, True, {}, {}, True),
            'the very case': (True, True, {}, {}, False),
            'a reused id, or a replay': (True, False, {}, {}, True),
            'a retry copy': (True, True, {'x-amps-attempt': 2}, {}, True),
            'another event': (True, True, {}, {'data': 'other'}, True),
        }
        for queue_type in QUEUE_TYPES:
            for name, (dies, redelivered, headers, members, runs) in cases.items():
                with self.subTest(queue=queue_type, case=name):
                    queue = self.queue(queue_type)
                    queue.publish(event('a'))
                    with Workload() as workload, \
                            Amps(self.node.uri, queue.name, workload) as amps:
                        self.wait_done(amps, workload, 1)
                        amps.post('/pause')
                        queue.wait_unconsumed()
                        if dies:
                            self.node.control('close_all_connections', 'test')
                            amps.wait_log('Connection lost')
                        if redelivered:
                            self.redeliver(queue, event('a', **members), **headers)
                        else:
                            queue.publish(event('a', **members), headers=headers or None)
                        amps.post('/resume')
                        if not runs:
                            amps.wait_log('had ended')
                            # The answer is used up.
                            amps.post('/pause')
                            queue.wait_unconsumed()
                            self.redeliver(queue, event('a'))
                            amps.post('/resume')
                        self.wait_done(amps, workload, 2)
                        amps.stop()
                        self.assertEqual(len(workload.posts), 2)
                    queue.wait_count(0)

    def wait_done(self, amps, workload, count):
        """Waits until so many POSTs have come, and all is acknowledged."""
        workload.wait(count)
        wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end')

    def test_redelivery_to_another_replica(self):
        for queue_type in QUEUE_TYPES:
            queue = self.queue(queue_type)
            proxy, uri = self.proxy()
            workload, amps = self.started(queue, 1, uri, JOB_TIMEOUT='4s')
            amps.post('/pause')
            proxy.cut()
            # This is the other replica.
            method = wait_until(lambda: queue.channel().basic_get(queue.name)[0], what='it')
            amps.post('/resume')
            amps.wait_ready()
            wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='expiry')
            self.assertNotIn('Job expired: ', amps.log)
            self.assertEqual(len(workload.posts), 1)
            self.assertEqual(queue.count(), 0)
            # It has not done it, so it is done here, after the failure here.
            workload.answer = acknowledge
            queue.channel().basic_nack(method.delivery_tag)
            self.wait_done(amps, workload, 2)
            self.assertEqual(workload.posts[1].headers['Amps-Attempt'], '2')
            amps.stop()
            queue.wait_count(0)

    def test_places_of_detached_jobs_stay_taken(self):
        queue = self.queue()
        proxy, uri = self.proxy()
        workload, amps = self.started(queue, 2, uri, MAX_CONCURRENCY=2)
        amps.post('/pause')
        proxy.cut()
        # The other replica again: what comes here instead has no place to run.
        tags = [wait_until(lambda: queue.channel().basic_get(queue.name)[0], what='one').delivery_tag
                for _ in range(2)]
        queue.publish(event('new'))
        queue.publish(event('newer'))
        amps.post('/resume')
        wait_until(lambda: amps.get('/jobs').body.count('"waiting"') == 2, what='waiting')
        time.sleep(0.5)
        self.assertEqual(len(workload.posts), 2)
        self.assertEqual(workload.posts[0].acknowledge(), 202)
        self.assertEqual(workload.wait(3)[2].id, 'new')
        self.assertEqual(workload.posts[1].acknowledge(), 202)
        workload.wait(4)
        for tag in tags:
            queue.channel().basic_ack(tag)

    def test_queue_deleted_and_declared_again(self):
        for queue_type in QUEUE_TYPES:
            queue = self.queue(queue_type)
            workload, amps = self.started(queue, 3)
            by_id = {post.id: post for post in workload.posts}
            queue.delete()
            amps.wait_log('cancelled')
            self.assertEqual(by_id['0'].acknowledge(), 202)
            self.assertEqual(by_id['1'].tell('/reject'), 202)
            queue.declare()
            amps.wait_ready()
            workload.answer = acknowledge
            # Who published them does so again: two are over, one still runs.
            for number in range(3):
                queue.publish(event(number))
            amps.wait_log('is attached')
            self.assertEqual(sorted(post.id for post in workload.wait(5)[3:]), ['0', '1'])
            self.assertEqual(by_id['2'].acknowledge(), 202)
            amps.stop()
            self.assertEqual(len(workload.posts), 5)
            queue.wait_count(0)

    def test_answer_of_an_earlier_run(self):
        queue = self.queue()
        workload, amps = self.started(queue, JOB_TIMEOUT='2s', RETRY_MAX_BACKOFF='1s',
                                      HEARTBEAT_TIMEOUT='1s')
        first, second = workload.wait(2)
        earlier = {'identifier': first.headers['Amps-Job-Id']}
        own = {'identifier': second.headers['Amps-Job-Id']}
        self.assertEqual(amps.post('/reject', earlier).status, 409)
        self.assertEqual(amps.post('/reject', {**earlier, 'reschedule': True}).status, 409)
        self.assertEqual(amps.post('/heartbeat', earlier).status, 404)
        self.assertEqual(amps.get('/jobs/0').json['attempt'], 2)
        self.assertEqual(amps.post('/heartbeat', own).status, 200)
        # Success counts, whichever run has it.
        self.assertEqual(amps.post('/acknowledge', earlier).status, 202)
        self.assertEqual(amps.post('/acknowledge', earlier).status, 202)
        self.assertEqual(amps.post('/acknowledge', own).status, 202)
        self.assertEqual(amps.post('/reject', own).status, 409)
        amps.stop()
        queue.wait_count(0)


if __name__ == '__main__':
    unittest.main()
