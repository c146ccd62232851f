# SPDX-License-Identifier: MIT
"""Failures: what is tried again, when, and what ends as a dead letter."""

import concurrent.futures
import datetime
import email.utils
import glob
import json
import threading
import time
import unittest

import pika

from amps import Amps, WallClock, wait_until
from broker import EMBEDDED, QUEUE_TYPES, BrokerTest, amqp_only, event, retry_queue_arguments
from proxy import Proxy
from workload import Workload

# A clock that is wrong on command.
FAKETIME = glob.glob('/usr/lib/*/faketime/libfaketimeMT.so.1')


class Retry(BrokerTest):
    """Which answers are tried again, when, and with what."""

    def attempts(self, posts):
        """The attempt numbers in the order of the POSTs."""
        return [int(post.headers['Amps-Attempt']) for post in posts]

    def test_success_counts_whenever_it_comes(self):
        """A worker that takes longer than the answer may: it works first, and answers and
        acknowledges then."""
        queue = self.queue()
        statuses = {}

        def work(post):
            run = post.headers['Amps-Job-Id']
            time.sleep(2.5)
            reject = self.amps.post('/reject', {'identifier': run}).status
            statuses[run] = reject, self.amps.post('/acknowledge', {'identifier': run}).status
            return 204

        for number in range(5):
            queue.publish(event(number))
        with Workload(work) as workload, \
                Amps(self.node.uri, queue.name, workload, WORKLOAD_RESPONSE_TIMEOUT='1s',
                     RETRY_MIN_BACKOFF='10s', RETRY_MAX_BACKOFF='10s') as self.amps:
            wait_until(lambda: len(statuses) >= 5, what='the end of the work')
            time.sleep(11)
            self.assertEqual({status for _, status in statuses.values()}, {202})
            self.assertEqual({status for status, _ in statuses.values()}, {409})
            self.assertEqual(self.amps.get('/jobs').json['jobs'], [])
            posts = len(workload.posts)
            self.assertLess(posts, 10)
            time.sleep(3)
            self.assertEqual(len(workload.posts), posts)
            self.amps.stop()
        queue.wait_count(0)

    def retry_queue(self, queue, seconds):
        """Declares it just as AMPS does; it fails if it is there, but otherwise."""
        return self.queue('quorum', f'{queue.name}.retry.{seconds}s',
                          **retry_queue_arguments(queue.name, seconds))

    def test_each_answer(self):
        # Status, and what it means in async and in sync mode: the attempt of the second POST,
        # or None when there is none; and whether the job is dead.
        table = [
            (200, (None, False), (None, False)),
            (204, (None, False), (None, False)),
            (202, (None, False), (None, False)),
            (409, (None, False), (2, False)),
            (408, (2, False), (2, False)),
            (425, (2, False), (2, False)),
            (429, (1, False), (1, False)),
            (500, (2, False), (2, False)),
            (502, (2, False), (2, False)),
            (503, (1, False), (1, False)),
            (301, (None, True), (None, True)),
            (400, (None, True), (None, True)),
            (404, (None, True), (None, True)),
        ]
        for mode, column in (('async', 1), ('sync', 2)):
            dead, queue = self.queue(), self.queue()
            seen = {}

            def answer(post, mode=mode, seen=seen):
                first = post.id not in seen
                seen.setdefault(post.id, []).append(int(post.headers['Amps-Attempt']))
                if first:
                    return int(post.id), {'Location': '/x'}, b'because'
                if mode == 'async':
                    post.acknowledge()
                return 200

            queue.publish(event(table[0][0]))
            with Workload(answer) as workload, \
                    Amps(self.node.uri, queue.name, workload, WORKLOAD_MODE=mode,
                         DEAD_LETTER_QUEUE=dead.name, RETRY_MIN_BACKOFF='100ms',
                         RETRY_MAX_BACKOFF='200ms') as amps:
                # Before the first is accepted some say that the address is wrong.
                workload.wait(1)
                wait_until(lambda: amps.metric('amps_workload_requests_total{code="2xx"}') > 0,
                           what='the first answer')
                for row in table[1:]:
                    queue.publish(event(row[0]))
                expected = {str(row[0]): [1] + [row[column][0]] * (row[column][0] is not None)
                            for row in table}
                wait_until(lambda: seen == expected, 20, f'{expected} instead of {seen}')
                dead_statuses = {str(row[0]) for row in table if row[column][1]}
                dead.wait_count(len(dead_statuses))
                for _ in dead_statuses:
                    properties, body = dead.take()
                    status = json.loads(body)['id']
                    self.assertIn(status, dead_statuses)
                    self.assertEqual(properties.headers['x-amps-reason'], 'status')
                    self.assertIn(status, properties.headers['x-amps-detail'])
                    self.assertIn('because', properties.headers['x-amps-detail'])
                for post in workload.posts:
                    post.acknowledge()
                amps.stop()
                self.assertEqual(queue.count(), 0)

    def test_waits_at_the_broker_and_counts_across_restarts(self):
        for queue_type in QUEUE_TYPES:
            queue = self.queue(queue_type)
            queue.publish(event('a'))
            with Workload(lambda _: 500) as workload, \
                    Amps(self.node.uri, queue.name, workload, RETRY_MIN_BACKOFF='4s',
                         RETRY_MAX_BACKOFF='4s') as amps:
                workload.wait(1)
                wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='a free slot')
                amps.stop()
                self.assertEqual(queue.count(), 0)
            with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
                self.assertEqual(self.attempts(workload.wait(1)), [2])
                amps.stop()
            queue.wait_count(0)

    def test_max_attempts(self):
        dead, queue = self.queue(), self.queue()
        queue.publish(event('a'))
        with Workload(lambda _: (500, {}, b'broken')) as workload, \
                Amps(self.node.uri, queue.name, workload, MAX_ATTEMPTS=3,
                     DEAD_LETTER_QUEUE=dead.name, RETRY_MIN_BACKOFF='1s', RETRY_MAX_BACKOFF='2s'):
            headers = dead.take()[0].headers
            self.assertEqual(self.attempts(workload.posts), [1, 2, 3])
            self.assertEqual(headers['x-amps-reason'], 'max-attempts')
            self.assertEqual(headers['x-amps-attempt'], 3)
            self.assertIn('broken', headers['x-amps-detail'])

    def test_reason_of_a_job_that_ran_out_of_time(self):
        dead, queue = self.queue(), self.queue()
        queue.publish(event('a'))
        with Workload(lambda _: 202) as workload, \
                Amps(self.node.uri, queue.name, workload, MAX_ATTEMPTS=1, JOB_TIMEOUT='1s',
                     DEAD_LETTER_QUEUE=dead.name):
            headers = dead.take()[0].headers
            self.assertEqual(headers['x-amps-reason'], 'expired')
            self.assertIn('in time', headers['x-amps-detail'])

    def test_retry_after(self):
        for value in (lambda: '3', lambda: email.utils.formatdate(time.time() + 4, usegmt=True)):
            queue = self.queue()
            queue.publish(event('a'))

            def answer(post, value=value):
                if post.headers['Amps-Redelivered'] == 'false' and len(workload.posts) == 1:
                    return 503, {'Retry-After': value()}, b''
                post.acknowledge()
                return 204

            with Workload(answer) as workload, \
                    Amps(self.node.uri, queue.name, workload, RETRY_MIN_BACKOFF='10ms',
                         RETRY_MAX_BACKOFF='10ms') as amps:
                posts = workload.wait(2)
                self.assertGreater(posts[1].time - posts[0].time, 2.9)
                self.assertLess(posts[1].time - posts[0].time, 5.5)
                self.assertEqual(self.attempts(posts), [1, 1])
                amps.stop()
            queue.wait_count(0)

    @amqp_only
    @unittest.skipUnless(FAKETIME, 'libfaketime is not installed')
    def test_clocks_that_differ(self):
        """One replica's is an hour ahead, or behind; its copy is taken by another one."""
        for offset in ('+1h', '-1h'):
            queue = self.queue()
            queue.publish(event('a'))

            def answer(post):
                if post.headers['Amps-Attempt'] == '1':
                    return 500, {'Retry-After': '3'}, b''
                post.acknowledge()
                return 204

            with Workload(answer) as workload:
                with Amps(self.node.uri, queue.name, workload, LD_PRELOAD=FAKETIME[0],
                          FAKETIME=offset, FAKETIME_DONT_FAKE_MONOTONIC=1,
                          ASAN_OPTIONS='verify_asan_link_order=0') as amps:
                    workload.wait(1)
                    wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the copy')
                    # The clock is what the test takes it for.
                    hour = datetime.datetime.fromisoformat(amps.get('/health').json['timestamp'])
                    self.assertGreater(abs(hour.timestamp() - time.time()), 3000)
                    amps.stop()
                with Amps(self.node.uri, queue.name, workload):
                    posts = workload.wait(2)
            # 2 s in the broker's queue, and the rest here.
            self.assertGreater(posts[1].time - posts[0].time, 2.9)
            self.assertLess(posts[1].time - posts[0].time, 6)
            self.assertEqual(self.attempts(posts), [1, 2])

    def test_clock_that_is_set_while_a_retry_waits(self):
        """It comes when it would have come."""
        def answer(post):
            return 200 if post.headers['Amps-Attempt'] == '2' else (500, {'Retry-After': '3'}, b'')

        clock = WallClock(self)
        for offset in (-86400, 0, 86400):
            queue = self.queue()
            queue.publish(event('a'))
            with Workload(answer) as workload, Amps(self.node.uri, queue.name, workload,
                                                    WORKLOAD_MODE='sync', **clock.settings) as amps:
                workload.wait(1)
                wait_until(lambda amps=amps: amps.get('/jobs').json['jobs'] == [], what='the copy')
                clock.set(offset)
                posts = workload.wait(2)
                self.assertGreater(posts[1].time - posts[0].time, 2.9)
                self.assertLess(posts[1].time - posts[0].time, 7)
                amps.stop()

    def test_reschedule_with_delay(self):
        queue = self.queue()
        queue.publish(event('a'))

        def answer(post):
            if len(workload.posts) == 1:
                post.tell('/acknowledge', reschedule=True, delay='2500ms')
            else:
                post.acknowledge()
            return 204

        with Workload(answer) as workload, Amps(self.node.uri, queue.name, workload) as amps:
            posts = workload.wait(2)
            self.assertGreater(posts[1].time - posts[0].time, 2.4)
            self.assertLess(posts[1].time - posts[0].time, 4)
            self.assertEqual(self.attempts(posts), [1, 1])
            amps.stop()
        queue.wait_count(0)

    def test_reschedule_does_not_spin(self):
        queue = self.queue()
        queue.publish(event('a'))

        def answer(post):
            post.tell('/reject', reschedule=True)
            return 204

        with Workload(answer) as workload, Amps(self.node.uri, queue.name, workload):
            workload.wait(2)
            time.sleep(4)
            # It waits every second time: a copy that has waited is no redelivery.
            self.assertLess(len(workload.posts), 12)

    @amqp_only
    def test_properties_of_copies(self):
        # Not a quorum queue, which adds a header of its own.
        dead, queue = self.queue('classic'), self.queue('classic')
        others = [self.queue(), self.queue()]
        body = event('a', data=[1.0])
        connection = pika.BlockingConnection(pika.URLParameters(self.uri_of_user('foreign', '.*')))
        self.addCleanup(connection.close)

        def publish(**properties):
            connection.channel().basic_publish('', queue.name, body, pika.BasicProperties(
                user_id='foreign', **properties))

        publish(expiration='600000', content_type='text/x-mine', correlation_id='c', priority=3,
                app_id='app', message_id='m', headers={
                    'CC': [others[0].name], 'BCC': [others[1].name],
                    'x-death': [{'queue': 'old', 'count': 3}], 'x-first-death-queue': 'old',
                    'x-delivery-count': 2, 'x-acquired-count': 5, 'own': 'kept', 'number': 7})
        for other in others:
            other.wait_count(1)

        with Workload(lambda post: post.tell('/reject', reschedule=True, delay='12s')) as workload, \
                Amps(self.node.uri, queue.name, workload, WORKER_ID='me') as amps:
            workload.wait(1)
            wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the copy')
            amps.stop()
        retry = self.retry_queue(queue, 10)
        properties, copy = retry.take()
        self.assert_properties(body, queue, properties, copy, 'x-amps-remaining-delay')
        # What is left when this queue's 10 s are over, by nobody's clock.
        self.assertEqual(properties.headers['x-amps-remaining-delay'], 2000)

        publish(content_type='text/x-mine', correlation_id='c', priority=3, app_id='app',
                message_id='m', headers={'own': 'kept', 'number': 7, 'x-amps-reason': 'old'})
        with Workload(lambda post: post.tell('/reject', reason='no such order')) as workload, \
                Amps(self.node.uri, queue.name, workload, DEAD_LETTER_QUEUE=dead.name,
                     WORKER_ID='me') as amps:
            properties, copy = dead.take()
            self.assert_properties(body, queue, properties, copy, 'x-amps-reason')
            self.assertEqual(properties.headers['x-amps-reason'], 'rejected')
            self.assertEqual(properties.headers['x-amps-detail'], 'no such order')
            amps.stop()
        queue.wait_count(0)
        for other in others:
            self.assertEqual(other.count(), 1)

    def assert_properties(self, body, queue, properties, copy, further):
        """What a copy keeps, drops and adds."""
        self.assertEqual(copy, body)
        self.assertIsNone(properties.user_id)
        self.assertIsNone(properties.expiration)
        self.assertEqual(properties.delivery_mode, 2)
        self.assertEqual((properties.content_type, properties.correlation_id, properties.priority,
                          properties.app_id, properties.message_id),
                         ('text/x-mine', 'c', 3, 'app', 'm'))
        kept = properties.headers
        self.assertEqual((kept['own'], kept['number']), ('kept', 7))
        self.assertEqual(kept['x-amps-user-id'], 'foreign')
        self.assertEqual((kept['x-amps-queue'], kept['x-amps-worker']), (queue.name, 'me'))
        self.assertEqual(kept['x-amps-attempt'], 1)
        self.assertLessEqual({'x-amps-first-received', 'x-amps-time', further}, kept.keys())
        self.assertFalse({'CC', 'BCC', 'x-death', 'x-first-death-queue', 'x-acquired-count'}
                         & kept.keys())
        # A quorum queue has its own, for itself.
        self.assertEqual(kept.get('x-delivery-count', 0), 0)

    @amqp_only
    def test_copy_that_is_made_twice(self):
        """The broker gets a copy, but the connection breaks before it can confirm it."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for future in [pool.submit(self.make_twice, self.queue(queue_type), delay)
                           for queue_type in QUEUE_TYPES for delay in (2, 5)]:
                future.result()

    def stays_empty(self, amps, queue, delay):
        """Whether nothing of it is anywhere, for longer than a copy waits."""
        queues = [queue, self.retry_queue(queue, delay)]
        end = time.monotonic() + delay + 1
        while time.monotonic() < end:
            if amps.get('/jobs').json['jobs'] or any(each.count() for each in queues):
                return False
            time.sleep(0.1)
        return True

    def make_twice(self, queue, delay):
        """The connection is found dead after 4 s: the first copy comes before, or after."""
        proxy = Proxy(self.node.port)
        uri = f'amqp://guest:guest@127.0.0.1:{proxy.port}?heartbeat=2'

        def answer(post):
            if int(post.headers['Amps-Attempt']) > 1:
                post.acknowledge()
                return 204
            if post.id == 'twice':
                proxy.mute()
            return 500, {'Retry-After': str(delay)}, b''

        # The first one lets AMPS declare the retry queue.
        queue.publish(event('first'))
        with Workload(answer) as workload, Amps(uri, queue.name, workload) as amps:
            workload.wait(2)
            queue.publish(event('twice'))
            amps.wait_log('No connection to publish')
            amps.wait_log('Connection lost')
            proxy.resume()
            workload.wait(4)
            if delay > 4:
                amps.wait_log('second one of two equal copies')
            # The second copy may be made only when the connection for it is there again.
            wait_until(lambda: self.stays_empty(amps, queue, delay), 60, 'the end of both copies')
            amps.stop()
            self.assertEqual([post.id for post in workload.posts], ['first'] * 2 + ['twice'] * 2)
        queue.wait_count(0)

    @amqp_only
    def test_headers_that_fill_a_frame(self):
        """There is no room for more, but the job must not be lost for that."""
        dead, queue = self.queue(), self.queue('classic')
        with Workload(lambda post: post.tell('/reject', reason='y' * 900)) as workload, \
                Amps(self.node.uri, queue.name, workload, DEAD_LETTER_QUEUE=dead.name) as amps:
            for size, kept in ((100000, {'own', 'x-amps-detail'}), (129800, {'own'}),
                               (130900, {'x-amps-detail'})):
                queue.publish(event(size), headers={'own': 'x' * size}, message_id='m')
                properties, body = dead.take()
                self.assertEqual(body, event(size))
                self.assertEqual(properties.message_id, 'm')
                self.assertEqual(properties.headers['x-amps-reason'], 'rejected')
                self.assertEqual({'own', 'x-amps-detail'} & properties.headers.keys(), kept)
            amps.stop()
        queue.wait_count(0)

    @amqp_only
    def test_dead_letter_queue_that_is_full(self):
        """A copy that is refused leaves the job in flight, to be tried again."""
        for queue_type in QUEUE_TYPES:
            dead = self.queue('classic', x_max_length=1, x_overflow='reject-publish')
            dead.publish(b'full')
            queue = self.queue(queue_type)
            queue.publish(event('a'))
            with Workload(lambda _: 400) as workload, \
                    Amps(self.node.uri, queue.name, workload, DEAD_LETTER_QUEUE=dead.name) as amps:
                amps.wait_log('trying again')
                self.assertEqual(amps.get('/jobs/a').json['state'], 'decided')
                self.assertEqual(workload.posts[0].acknowledge(), 409)
                self.assertEqual(dead.take()[1], b'full')
                self.assertEqual(dead.take(40)[1], event('a'))
                wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end of the job')
                amps.stop()
            queue.wait_count(0)

    @amqp_only
    def test_without_permission_to_declare(self):
        queue = self.queue()
        queue.publish(event('a'))

        def answer(post):
            if len(workload.posts) == 1:
                return 503, {'Retry-After': '2'}, b''
            post.acknowledge()
            return 204

        uri = self.uri_of_user('limited', '^$')
        with Workload(answer) as workload, Amps(uri, queue.name, workload) as amps:
            posts = workload.wait(2)
            self.assertGreater(posts[1].time - posts[0].time, 1.9)
            self.assertEqual(self.attempts(posts), [1, 1])
            self.assertNotIn('secret', amps.log)
            amps.stop()
        queue.wait_count(0)

    @amqp_only
    def test_attempts_without_permission_to_declare(self):
        uri = self.uri_of_user('limited', '^$')
        for queue_type in QUEUE_TYPES:
            dead, queue = self.queue(), self.queue(queue_type)
            queue.publish(event('a'))
            with Workload(lambda _: 500) as workload, \
                    Amps(uri, queue.name, workload, MAX_ATTEMPTS=4,
                         DEAD_LETTER_QUEUE=dead.name, RETRY_MIN_BACKOFF='1s',
                         RETRY_MAX_BACKOFF='3s') as amps:
                self.assertEqual(dead.take()[0].headers['x-amps-reason'], 'max-attempts')
                self.assertEqual(self.attempts(workload.posts), [1, 2, 3, 4])
                amps.stop()
            queue.wait_count(0)

    def test_duplicates_and_followers(self):
        queue = self.queue()
        go = threading.Event()

        def answer(post):
            go.wait(20)
            post.acknowledge()
            return 204

        for body in (event('a'), event('a'), event('a', data=1)):
            queue.publish(body)
        with Workload(answer) as workload, Amps(self.node.uri, queue.name, workload) as amps:
            amps.wait_log('Duplicate')
            amps.wait_log('Job waits until another')
            self.assertEqual(len(workload.wait(1)), 1)
            go.set()
            workload.wait(2)
            wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end')
            self.assertEqual(len(workload.posts), 2)
            amps.stop()
        queue.wait_count(0)

    def test_an_id_used_again_runs_again(self):
        queue = self.queue()
        with Workload() as workload, Amps(self.node.uri, queue.name, workload) as amps:
            for count in (1, 2, 3):
                queue.publish(event('daily'))
                workload.wait(count)
                wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end')
                if count == 1 and not EMBEDDED:
                    self.node.control('close_all_connections', 'test')
                    amps.wait_ready()
            amps.stop()
        queue.wait_count(0)

    @amqp_only
    def test_retry_queues_are_safe(self):
        queue = self.queue('classic')
        queue.publish(event('a'))
        with Workload(lambda _: 500) as workload, \
                Amps(self.node.uri, queue.name, workload, RETRY_MIN_BACKOFF='20s',
                     RETRY_MAX_BACKOFF='20s') as amps:
            workload.wait(1)
            wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the copy')
            self.retry_queue(queue, 10)
        self.node.let_queues_settle()
        self.node.stop()
        self.node.start()
        self.node.wait_until_ready()
        with Workload() as workload, Amps(self.node.uri, queue.name, workload):
            self.assertEqual(self.attempts(workload.wait(1, timeout=90)), [2])

    @amqp_only
    def test_retry_queue_without_a_leader(self):
        """RabbitMQ's channel waits for it for 65 s with each message, and takes no other."""
        queue, other = self.queue(), self.queue()
        leader = f"whereis('%2F_{self.retry_queue(queue, 2).name}')"
        self.node.control('eval', f'sys:suspend({leader}).')
        self.addCleanup(self.node.control, 'eval', f'sys:resume({leader}).')

        def answer(post):
            if post.headers['Amps-Attempt'] != '1':
                post.acknowledge()
                return 204
            return 500, {'Retry-After': '2'}, b''

        for number in range(3):
            queue.publish(event(number))
        with Workload(answer) as workload, Amps(self.node.uri, queue.name, workload) as amps:
            workload.wait(3)
            self.assertEqual(amps.post('/publish', event('p', type=other.name)).status, 202)
            # These wait for so long in vain, but the next one does not.
            workload.wait(6, timeout=75)
            began = time.monotonic()
            queue.publish(event(3))
            workload.wait(8)
            self.assertLess(time.monotonic() - began, 10)
            amps.stop()
        self.assertEqual(self.attempts(workload.posts), [1] * 3 + [2] * 3 + [1, 2])
        queue.wait_count(0)


if __name__ == '__main__':
    unittest.main()
