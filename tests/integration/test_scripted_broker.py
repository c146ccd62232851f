# SPDX-License-Identifier: MIT
"""What a real broker won't do on command."""

import concurrent.futures
import threading
import time
import unittest

from amps import Amps, wait_until
from broker import event
from scripted_broker import (ScriptedBroker, confirm, content, delivery, frame, method, returned,
                             short)
from workload import Workload

# Whose settlements the sockets on both sides have no room for.
FLOOD = 250000


class Scripted(unittest.TestCase):
    """A peer that misbehaves."""

    def setUp(self):
        self.broker = ScriptedBroker()
        self.addCleanup(self.broker.close)
        self.workload = Workload()
        self.addCleanup(self.workload.stop)

    def amps(self, **settings):
        """An AMPS that is ready."""
        amps = Amps(self.broker.uri, 'q', self.workload, **settings)
        self.addCleanup(amps.__exit__)
        return amps.wait_ready()

    def test_publication_that_is_refused(self):
        self.broker.on_publish = lambda connection, tag: connection.confirm(tag, False)
        answer = self.amps().post('/publish', event('a'))
        self.assertEqual(answer.status, 503)
        self.assertIn('Retry-After', answer.headers)

    def test_confirm_that_never_comes_and_one_that_comes_late(self):
        self.broker.on_publish = lambda connection, tag: None
        amps = self.amps()
        began = time.monotonic()
        self.assertEqual(amps.post('/publish', event('a')).status, 503)
        self.assertLess(time.monotonic() - began, 15)
        self.broker.on_publish = lambda connection, tag: connection.confirm(tag)
        self.broker.publisher().confirm(1)
        self.assertEqual(amps.post('/publish', event('b')).status, 202)

    def test_confirms_in_another_order(self):
        tags = []

        def collect(connection, tag):
            tags.append(tag)
            if len(tags) == 3:
                for each in (tags[2], tags[0], tags[1]):
                    connection.confirm(each, each != tags[1])

        self.broker.on_publish = collect
        amps = self.amps()
        statuses = []
        threads = [threading.Thread(target=lambda n=n: statuses.append(
            amps.post('/publish', event(n)).status)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(statuses), [202, 202, 503])

    def test_job_is_done_before_amps_can_publish(self):
        """What its outcome needs waits for the connection: the job does not run again."""
        outcomes = {'sync': (200, {'Content-Type': 'application/cloudevents+json'}, event('b')),
                    'async': 400}
        for mode, outcome in outcomes.items():
            broker = ScriptedBroker()
            self.addCleanup(broker.close)
            broker.may_confirm.clear()
            broker.on_consume = lambda connection: connection.send(delivery(1, event('a')))
            with Workload(lambda _, outcome=outcome: outcome) as workload, \
                    Amps(broker.uri, 'q', workload, WORKLOAD_MODE=mode) as amps:
                workload.wait(1)
                time.sleep(0.5)
                self.assertEqual(amps.get('/jobs').json['jobs'][0]['attempt'], 1)
                broker.may_confirm.set()
                consumer, = [one for one in broker.connections if one.consuming]
                wait_until(lambda consumer=consumer: consumer.settled == [(80, 1)],
                           what='the settlement')
                self.assertEqual(len(workload.posts), 1)
                self.assertEqual(broker.publisher().published, 1)

    def test_return_comes_before_the_confirm(self):
        def give_back(connection, tag):
            connection.send(returned(b'test', b''))
            connection.confirm(tag)

        self.broker.on_publish = give_back
        # The message's id is not in the return above, so it must not be in the message.
        self.assertEqual(self.amps().post('/publish', event('i' * 256)).status, 404)

    def publish_at_once(self, amps, numbers):
        """The statuses of concurrent publications, by number."""
        with concurrent.futures.ThreadPoolExecutor(len(numbers)) as pool:
            return dict(pool.map(
                lambda number: (number, amps.post('/publish', event(number)).status), numbers))

    def test_one_of_many_closes_the_channel(self):
        """The broker does not say which, and those before it were not confirmed yet."""
        bad = event(3)

        def answer(connection, number):
            # Nobody hears anything before the last of the first ones.
            if len(connection.bodies) >= 8:
                if bad in connection.bodies[self.seen:]:
                    self.seen = len(connection.bodies)
                    connection.close_channel(number, 406, b'PRECONDITION_FAILED - a whim')
                else:
                    connection.confirm(number)

        self.seen = 0
        self.broker.on_publish = answer
        amps = self.amps()
        statuses = self.publish_at_once(amps, range(8))
        self.assertEqual(statuses, {**dict.fromkeys(range(8), 202), 3: 403})
        # The connection is the same, and takes the next ones.
        self.assertEqual(amps.post('/publish', event('next')).status, 202)
        self.assertEqual(len(self.broker.connections), 2)
        bodies = self.broker.publisher().bodies
        self.assertLessEqual(max(map(bodies.count, bodies)), 4)

    def test_closed_channel_leaves_the_other_one_alone(self):
        """A copy that the broker has not confirmed is neither lost nor made again."""
        self.broker.on_publish = lambda connection, number: (
            number > 1 and connection.close_channel(number, 403, b'ACCESS_REFUSED'))
        self.broker.on_consume = lambda connection: connection.send(delivery(1, event('a')))
        self.workload.answer = lambda _: (500, {'Retry-After': '1'}, b'')
        amps = self.amps()
        wait_until(lambda: self.broker.publisher().published, what='the copy')
        answer = amps.post('/publish', event('b'))
        self.assertEqual(answer.status, 403)
        self.assertIn('ACCESS_REFUSED', answer.json['detail'])
        self.broker.publisher().confirm(1)
        wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end of the job')
        self.assertEqual(self.broker.publisher().published, 2)

    def settled_when_refused(self, status, may_declare=False):
        """How jobs are settled whose workload gives an answer, when no copy is taken."""
        self.broker.refuses_retry_queues = not may_declare
        self.broker.on_publish = lambda connection, tag: connection.confirm(tag, False)
        self.broker.on_consume = lambda connection: connection.send(
            delivery(1, event('a')) + delivery(2, event('b')))
        self.workload.answer = lambda _: (status, {'Retry-After': '1'}, b'')
        self.amps()
        return wait_until(lambda: len(self.broker.connections[0].settled) >= 2
                          and self.broker.connections[0].settled
                          or len(self.broker.connections[1].settled) >= 2
                          and self.broker.connections[1].settled, what='being settled')

    def test_real_failures_are_rejected_one_by_one(self):
        self.assertCountEqual(self.settled_when_refused(500), [(90, 1), (90, 2)])

    def test_retry_queue_that_takes_nothing(self):
        self.assertCountEqual(self.settled_when_refused(500, True), [(90, 1), (90, 2)])

    def test_retry_queue_without_a_leader_holds_up_no_other(self):
        """What is published there is neither confirmed nor refused."""
        self.broker.on_publish = lambda connection, tag: tag > 1 and connection.confirm(tag)
        self.broker.on_consume = lambda connection: connection.send(delivery(1, event('a')))
        self.workload.answer = lambda post: (500, {'Retry-After': '1' if post.id == 'a' else '2'},
                                             b'')
        amps = self.amps()
        wait_until(lambda: self.broker.publisher().published, what='the first copy')
        consumer = next(each for each in self.broker.connections if each.consuming)
        consumer.send(delivery(2, event('b')))
        wait_until(lambda: consumer.settled == [(80, 2)], what='the second copy')
        self.assertEqual(amps.post('/publish', event('c')).status, 202)
        self.assertEqual([job['id'] for job in amps.get('/jobs').json['jobs']], ['a'])

    def test_few_copies_at_once_for_retry_queues(self):
        """A broker whose channel is full of them would read nothing else."""
        self.broker.on_publish = lambda connection, tag: None
        self.broker.on_consume = lambda connection: connection.send(
            b''.join(delivery(tag, event(tag)) for tag in range(1, 251)))
        self.workload.answer = lambda _: (500, {'Retry-After': '1'}, b'')
        amps = self.amps(MAX_CONCURRENCY=300)
        publisher = self.broker.publisher()
        wait_until(lambda: publisher.published == 200, what='copies')
        time.sleep(0.5)
        self.assertEqual(publisher.published, 200)
        publisher.confirm(1)
        wait_until(lambda: publisher.published == 201, what='another one')
        for number in range(2, 251):
            wait_until(lambda number=number: publisher.published >= number, what='the next one')
            publisher.confirm(number)
        wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end')

    def test_what_is_not_their_fault_is_not(self):
        self.assertCountEqual(self.settled_when_refused(503), [(120, 1), (120, 2)])

    def test_copy_whose_confirm_takes_long(self):
        """A second one would let the job run twice."""
        self.broker.on_publish = lambda connection, tag: None
        self.broker.on_consume = lambda connection: connection.send(delivery(1, event('a')))
        self.workload.answer = lambda post: post.tell('/reject', reschedule=True, delay='1s')
        amps = self.amps()
        wait_until(lambda: self.broker.publisher().published, what='the copy')
        time.sleep(13)
        self.assertEqual(self.broker.publisher().published, 1)
        self.assertEqual(amps.get('/jobs/a').json['state'], 'decided')
        self.broker.publisher().confirm(1)
        wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end')

    def test_blocked_and_unblocked(self):
        amps = self.amps()
        self.broker.publisher().send(method(0, 10, 60, short(b'low on memory')))
        wait_until(lambda: amps.metric('amps_broker_blocked') == 1, what='being blocked')
        began = time.monotonic()
        self.assertEqual(amps.post('/publish', event('a')).status, 503)
        self.assertLess(time.monotonic() - began, 1)
        self.broker.publisher().send(method(0, 10, 61))
        wait_until(lambda: amps.post('/publish', event('a')).status == 202, what='publishing')

    def flood(self, may_read):
        """Sends that many messages to be rejected, and reads nothing until it may."""
        def send_all(connection):
            for tag in range(1, FLOOD + 1, 100):
                connection.send(b''.join(delivery(each, b'{}') for each in range(tag, tag + 100)))
            may_read.wait()

        self.addCleanup(may_read.set)
        self.broker.on_consume = lambda connection: (
            send_all(connection) if self.broker.consumers() == 1 else None)
        return self.amps(DEAD_LETTER_MODE='broker')

    def test_broker_that_does_not_read_for_a_while(self):
        # Two heartbeats are how long it may be so.
        self.broker.heartbeat = 60
        self.broker.uri = self.broker.uri.replace('heartbeat=2', 'heartbeat=60')
        may_read = threading.Event()
        amps = self.flood(may_read)
        wait_until(lambda: amps.metric('amps_job_outcomes_total{outcome="malformed"}') == FLOOD, 60,
                   'all of them')
        settled = next(each.settled for each in self.broker.connections if each.consuming)
        for _ in range(20):
            began = time.monotonic()
            self.assertEqual(amps.get('/healthz').status, 200)
            self.assertLess(time.monotonic() - began, 1)
            time.sleep(0.1)
        self.assertEqual(settled, [])
        may_read.set()
        wait_until(lambda: len(settled) == FLOOD, 60, 'being settled')
        self.assertEqual(sorted(settled), [(90, tag) for tag in range(1, FLOOD + 1)])

    def test_broker_that_never_reads_again(self):
        """Heartbeats do not tell, it still sends them."""
        amps = self.flood(threading.Event())
        wait_until(lambda: self.broker.consumers() == 2, 60, 'another connection')
        self.assertIn('it hangs', amps.log)

    def assert_reconnects(self, mischief, timeout=10):
        """After some mischief on the consuming connection a new one does the work."""
        self.broker.on_consume = lambda connection: (
            mischief(connection) if self.broker.consumers() == 1
            else connection.send(delivery(1, event('good'))))
        amps = self.amps()
        began = time.monotonic()
        wait_until(lambda: self.broker.consumers() >= 2, timeout, 'another connection')
        wait_until(lambda: 'good' in [post.id for post in self.workload.posts], what='the job')
        wait_until(lambda: (80, 1) in self.broker.connections[-1].settled
                   or any((80, 1) in each.settled for each in self.broker.connections),
                   what='the acknowledgement')
        self.assertEqual(amps.get('/healthz').status, 200)
        self.assertLess(time.monotonic() - began, timeout + 1)
        return amps

    def test_classic_queue_without_consumer_timeout(self):
        """From 4.3 on only quorum queues have one, and classic ones don't take the argument."""
        seen = []

        def refuse(arguments):
            seen.append(b'x-consumer-timeout' in arguments)
            return seen[-1] and (b"PRECONDITION_FAILED - invalid arg 'x-consumer-timeout' for queue"
                                 b" 'q' in vhost '/' of queue type rabbit_classic_queue")

        self.broker.version = b'4.3.0'
        self.broker.refuse_consumer = refuse
        amps = self.amps(JOB_TIMEOUT='1h')
        self.assertEqual(seen, [True, False])
        self.assertEqual(amps.metric('amps_broker_reconnects_total'), 0)

    def test_garbage(self):
        self.assert_reconnects(lambda connection: connection.send(b'\xff' * 100))

    def test_half_a_frame_and_then_silence(self):
        def half(connection):
            self.broker.beating = False
            connection.send(delivery(1, event('half'))[:60])
            threading.Timer(7, lambda: setattr(self.broker, 'beating', True)).start()

        self.assert_reconnects(half, 2 * 2 + 2)

    def test_end_while_a_large_event_is_read(self):
        """It is read in a thread, and belongs to nobody when that is through."""
        large = event('large', data=[0] * 3000000)
        self.assert_reconnects(lambda connection: connection.send(
            delivery(1, large) + b'\xff' * 100))

    def test_body_that_is_longer_than_announced(self):
        self.assert_reconnects(lambda connection: connection.send(
            delivery(1, event('long'), size=5)))

    def test_frames_in_the_wrong_order(self):
        self.assert_reconnects(lambda connection: connection.send(frame(3, 1, b'body')))

    def test_messages_that_break_the_protocol(self):
        """What is said of them can't be relied on, so they come again on another connection."""
        first = delivery(1, event('first'))
        mischiefs = {
            'delivery 0 came out of turn': delivery(0, event('zero')),
            'delivery 1 came out of turn': first + delivery(1, event('again')),
            'delivery 3 came out of turn': first + delivery(3, event('gap')),
            'came on channel 0': delivery(1, event('a'), channel=0),
            'came on channel 9': delivery(1, event('a'), channel=9),
            'came on channel 2': first + method(2, 60, 30, short(b'c') + b'\x01'),
            'on channel 1, which is not': method(1, 10, 60, short(b'low on memory')),
            'that nobody consumes': returned(b'q', event('a')),
            'a header of another class': delivery(1, event('a'), class_id=20),
            'wrong order': content(1, event('a')),
            'BASIC_ACK_METHOD was not expected': confirm(1),
            'BASIC_CONSUME_OK_METHOD was not expected': method(1, 60, 21, short(b'c')),
        }
        for text, frames in mischiefs.items():
            with self.subTest(text):
                self.setUp()
                amps = self.assert_reconnects(lambda connection, frames=frames:
                                              connection.send(frames))
                amps.wait_log('the broker broke the protocol: ')
                self.assertIn(text, amps.log)
                amps.stop()

    def test_delivery_before_there_is_a_consumer(self):
        def refuse(_):
            if len(refused) == 0:
                refused.append(self.broker.connections[0])
                for connection in self.broker.connections:
                    connection.send(delivery(1, event('early')))
                return b'not now'
            return None

        refused = []
        self.broker.refuse_consumer = refuse
        self.broker.on_consume = lambda connection: connection.send(delivery(1, event('good')))
        amps = self.amps()
        self.assertEqual([post.id for post in self.workload.wait(1)], ['good'])
        self.assertIn('a message came that nobody consumes', amps.log)

    def test_confirms_that_break_the_protocol(self):
        """None of them says that an event is safe."""
        mischiefs = {
            'came on channel 0': confirm(1, channel=0),
            'came on channel 9': confirm(1, channel=9),
            'publication 1 was': confirm(1, channel=2),
            'publication 0 was': confirm(0),
            'publication 2 was': confirm(2, multiple=True),
            'publication 7 was': confirm(7),
            'that was not published here': returned(b'other', b'{}'),
            'not published here': delivery(1, event('a')),
        }
        for text, frames in mischiefs.items():
            with self.subTest(text):
                self.setUp()
                self.broker.on_publish = lambda connection, tag, frames=frames: (
                    connection.send(frames) if len(self.broker.connections) == 2
                    else connection.confirm(tag))
                amps = self.amps()
                answer = amps.post('/publish', event('a'))
                self.assertEqual((answer.status, 'Retry-After' in answer.headers), (503, True))
                wait_until(lambda amps=amps: amps.post('/publish', event('a')).status == 202,
                           what='another connection')
                self.assertIn('the broker broke the protocol: ', amps.log)
                self.assertIn(text, amps.log)
                amps.stop()

    def test_confirm_that_comes_twice(self):
        amps = self.amps()
        self.assertEqual(amps.post('/publish', event('a')).status, 202)
        self.broker.publisher().confirm(1)
        amps.wait_log('the broker broke the protocol: publication 1 was')
        wait_until(lambda: amps.post('/publish', event('a')).status == 202,
                   what='another connection')

    def test_channel_closed(self):
        self.assert_reconnects(lambda connection: connection.send(
            method(1, 20, 40, b'\x01\x96' + short(b'PRECONDITION_FAILED') + b'\0' * 4)))

    def test_connection_closed(self):
        self.assert_reconnects(lambda connection: connection.send(
            method(0, 10, 50, b'\x01\x40' + short(b'CONNECTION_FORCED') + b'\0' * 4)))

    def test_consumer_cancelled(self):
        self.assert_reconnects(lambda connection: connection.send(
            method(1, 60, 30, short(b'c') + b'\x01')))


if __name__ == '__main__':
    unittest.main()
