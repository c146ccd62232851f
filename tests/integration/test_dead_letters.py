# SPDX-License-Identifier: MIT
"""Nothing is discarded: what is rejected can be found again, whatever is wrong."""

import collections
import json
import time
import unittest

import pika

from amps import Amps, wait_until
from broker import QUEUE_TYPES, BrokerTest, Queue, event
from workload import Workload

MIB = 1024 * 1024


class Found(Queue):
    """A queue that somebody else has declared, with arguments of its own."""

    def declare(self, arguments=None):
        """Only looks whether it is there."""
        self.count()


def reject(post):
    """Gives the job up."""
    post.tell('/reject', reason=f'no order {post.id}')
    return 204


class DeadLetters(BrokerTest):
    """With nothing but defaults, unless a test says otherwise."""

    configuration = f'max_message_size = {256 * MIB}\n'

    def found(self, name):
        """A queue that AMPS has declared."""
        wait_until(lambda: self.exists(name), what=name)
        queue = Found(self.node, name, None, None)
        self.addCleanup(queue.close)
        return queue

    def exists(self, name):
        """Whether there is such a queue."""
        connection = pika.BlockingConnection(pika.URLParameters(self.node.uri))
        try:
            connection.channel().queue_declare(name, passive=True)
            return True
        except pika.exceptions.ChannelClosedByBroker:
            return False
        finally:
            connection.close()

    def describe(self, name):
        """Type and durability of a queue."""
        lines = self.node.control('-q', 'list_queues', 'name', 'type', 'durable').splitlines()
        return next(line.split()[1:] for line in lines if line.split()[0] == name)

    def wait_not_ready(self, amps, *texts):
        """Waits until /readyz says all of that."""
        def says():
            answer = amps.get('/readyz')
            return answer.status == 503 and all(text in answer.body for text in texts)
        amps.wait_listening()
        wait_until(says, what=f'{texts} in /readyz')

    def test_defaults(self):
        for queue_type in QUEUE_TYPES:
            queue = self.queue(queue_type)
            queue.fill(event(number) for number in range(200))
            with Workload(lambda post: 400 if int(post.id) % 2 else reject(post)) as workload, \
                    Amps(self.node.uri, queue.name, workload) as amps:
                dead = self.found(queue.name + '.dead')
                dead.wait_count(200)
                wait_until(lambda: amps.metric('amps_dead_letters_total') == 200, what='confirms')
                self.assertEqual(amps.metric('amps_dead_letters_total{reason="status"}'), 100)
                self.assertEqual(amps.metric('amps_dead_letters_total{reason="rejected"}'), 100)
                self.assertEqual(amps.metric('amps_discarded_total'), 0)
                self.assertTrue(amps.is_ready())
                amps.stop()
            self.assertEqual(queue.count(), 0)
            self.assertEqual(self.describe(dead.name), ['quorum', 'true'])
            self.assert_reasons(dead)

    def assert_reasons(self, dead):
        """Each of 200 jobs is there once, with its reason."""
        seen = collections.Counter()
        for _ in range(200):
            properties, body = dead.take()
            number = json.loads(body)['id']
            seen[number] += 1
            self.assertEqual(body, event(number))
            self.assertEqual(properties.headers['x-amps-reason'],
                             'status' if int(number) % 2 else 'rejected')
            self.assertIn('400' if int(number) % 2 else f'no order {number}',
                          properties.headers['x-amps-detail'])
        self.assertEqual(seen, collections.Counter(map(str, range(200))))

    def test_queue_that_is_there_is_left_as_it_is(self):
        for queue_type, arguments in (('classic', {}), ('classic', {'x_max_priority': 3}),
                                      ('quorum', {'x_max_length': 9}), ('stream', {})):
            queue = self.queue()
            dead = self.queue(queue_type, queue.name + '.dead', **arguments)
            queue.publish(event('a'))
            with Workload(reject) as workload, Amps(self.node.uri, queue.name, workload) as amps:
                wait_until(lambda: amps.metric('amps_dead_letters_total{reason="rejected"}') == 1,
                           what='the copy')
                self.assertTrue(amps.is_ready())
                amps.stop()
            self.assertEqual(queue.count(), 0)
            self.assertEqual(self.describe(dead.name)[0], queue_type)
            if queue_type != 'stream':
                self.assertEqual(dead.take()[0].headers['x-amps-detail'], 'no order a')

    def test_subject_is_declared_beside_a_queue_that_is_there(self):
        for queue_type in ('classic', 'quorum', 'stream'):
            subject = f'auto-{queue_type}'
            self.queue(queue_type, subject + '.dead')
            with Workload() as workload, \
                    Amps(self.node.uri, subject, workload, QUEUE_DECLARE='auto').wait_ready():
                queue = self.found(subject)
                queue.publish(event('a'))
                workload.wait(1)

    def test_reasons_are_kept_with_auto_alone(self):
        for queue_type in QUEUE_TYPES:
            subject = f'kept-{queue_type}'
            with Workload(reject) as workload, \
                    Amps(self.node.uri, subject, workload, QUEUE_DECLARE='auto',
                         QUEUE_TYPE=queue_type) as amps:
                self.found(subject).publish(event('a'))
                properties, body = self.found(subject + '.dead').take()
                self.assertEqual(body, event('a'))
                self.assertEqual(properties.headers['x-amps-reason'], 'rejected')
                self.assertEqual(properties.headers['x-amps-detail'], 'no order a')
                self.assertEqual(properties.headers['x-amps-queue'], subject)
                amps.stop()
            self.assertEqual(self.describe(subject)[0], queue_type)

    def test_auto_declares_although_nothing_is_taken(self):
        """Whoever publishes while the workload is away, or AMPS paused, must find a queue."""
        with Amps(self.node.uri, 'early', QUEUE_DECLARE='auto') as amps:
            self.found('early').publish(event('a'))
            self.found('early.dead')
            self.assertFalse(amps.is_ready())
            self.assertNotIn('waiting-for-queue', amps.log)

    def test_missing_queue_is_told_although_nothing_is_taken(self):
        with Workload() as workload:
            workload.stop()
            with Amps(self.node.uri, 'missing', workload) as amps:
                amps.wait_log('“missing” does not exist')
                self.queue(name='missing').publish(event('a'))
                workload.start()
                workload.wait(1)
                amps.wait_ready()
                amps.stop()

    def test_named_queue_that_is_missing(self):
        queue = self.queue()
        queue.publish(event('a'))
        with Workload(reject) as workload, \
                Amps(self.node.uri, queue.name, workload, DEAD_LETTER_QUEUE='by-name') as amps:
            self.assertEqual(self.found('by-name').take()[1], event('a'))
            amps.stop()
        self.assertFalse(self.exists(queue.name + '.dead'))
        self.assertEqual(queue.count(), 0)

    def test_dead_letter_queue_is_deleted(self):
        queue = self.queue()
        with Workload(reject) as workload, Amps(self.node.uri, queue.name, workload) as amps:
            for number in range(3):
                queue.publish(event(number))
                dead = self.found(queue.name + '.dead')
                dead.wait_count(1)
                self.assertEqual(dead.take()[1], event(number))
                dead.delete()
            wait_until(amps.is_ready, what='being ready again')
            self.assertEqual(amps.metric('amps_dead_letters_total'), 3)
            amps.stop()
        self.assertEqual(queue.count(), 0)

    def test_without_permission_to_declare(self):
        queue = self.queue()
        uri = self.uri_of_user('declares-nothing', configure='^$')
        with Workload(reject) as workload, Amps(uri, queue.name, workload).wait_ready() as amps:
            for number in range(50):
                queue.publish(event(number))
            self.wait_not_ready(amps, queue.name + '.dead', 'ACCESS_REFUSED', 'DEAD_LETTER_QUEUE')
            wait_until(lambda: amps.metric('amps_dead_letters_waiting') == 50, what='all waiting')
            self.assertEqual(amps.get('/jobs/7').json['state'], 'decided')
            time.sleep(2)
            self.assertEqual(amps.metric('amps_dead_letters_total'), 0)
            warnings = [line for line in amps.log.splitlines() if 'trying again' in line]
            self.assertEqual(len(warnings), 1)
            self.assertEqual(amps.metric('amps_broker_reconnects_total'), 0)
            # They have kept their slots, so nobody else gets them.
            self.assertEqual(queue.count(), 0)
            dead = self.queue('classic', queue.name + '.dead')
            dead.wait_count(50, timeout=60)
            amps.wait_ready()
            self.assertEqual(amps.metric('amps_dead_letters_waiting'), 0)
            self.assertEqual(amps.metric('amps_dead_letters_total{reason="rejected"}'), 50)
            amps.stop()
        self.assertEqual(queue.count(), 0)

    def test_queue_without_a_leader(self):
        """RabbitMQ's channel waits for it for 65 s, but nothing else has to."""
        queue, other = self.queue(), self.queue()
        dead = self.queue(name=queue.name + '.dead')
        leader = f"whereis('%2F_{dead.name}')"
        self.node.control('eval', f'sys:suspend({leader}).')
        self.addCleanup(self.node.control, 'eval', f'sys:resume({leader}).')

        def answer(post):
            if post.id == 'later':
                return post.headers['Amps-Attempt'] == '1' and (500, {'Retry-After': '1'}, b'') or 400
            return reject(post)

        queue.publish(event('a'))
        with Workload(answer) as workload, Amps(self.node.uri, queue.name, workload) as amps:
            workload.wait(1)
            began = time.monotonic()
            self.assertEqual(amps.post('/publish', event('p', type=other.name)).status, 202)
            queue.publish(event('later'))
            workload.wait(3)
            self.assertLess(time.monotonic() - began, 10)
            wait_until(lambda: 'does not take them' in amps.get('/readyz').body, 80, 'the reason')
            self.assertEqual(amps.metric('amps_broker_reconnects_total'), 0)
            self.node.control('eval', f'sys:resume({leader}).')
            dead.wait_count(2, timeout=60)
            amps.wait_ready(60)
            amps.stop()
        self.assertEqual(queue.count(), 0)
        self.assertEqual({dead.take()[1] for _ in range(2)}, {event('a'), event('later')})
        self.assertEqual(dead.count(), 0)

    def test_what_waits_when_amps_ends_is_still_there(self):
        queue = self.queue()
        uri = self.uri_of_user('ends', configure='^$')
        queue.publish(event('a'))
        queue.publish(b'no event')
        with Workload(reject) as workload, \
                Amps(uri, queue.name, workload, DRAIN_TIMEOUT='0s') as amps:
            wait_until(lambda: amps.metric('amps_dead_letters_waiting') == 2, what='all waiting')
            self.assertEqual(amps.stop(), 0)
        queue.wait_count(2)

    def test_without_permission_to_write(self):
        queue = self.queue()
        uri = self.uri_of_user('writes-nothing', write='^$')
        queue.publish(event('a'))
        with Workload(reject) as workload, Amps(uri, queue.name, workload) as amps:
            workload.wait(1)
            self.wait_not_ready(amps, 'dead letters')
            self.assertEqual(amps.get('/jobs/a').json['state'], 'decided')
            self.assertEqual(amps.metric('amps_dead_letters_waiting'), 1)
            self.node.control('set_permissions', 'writes-nothing', '.*', '.*', '.*')
            self.assertEqual(self.found(queue.name + '.dead').take(60)[1], event('a'))
            amps.wait_ready()
            amps.stop()
        self.assertEqual(len(workload.posts), 1)
        self.assertEqual(queue.count(), 0)

    def test_body_that_is_too_large_to_be_copied(self):
        """It stays with the broker until somebody takes care of it."""
        queue = self.queue('classic')
        body = event('huge', data='x' * (129 * MIB))
        queue.publish(body)
        queue.publish(event('good'))
        with Workload() as workload, \
                Amps(self.node.uri, queue.name, workload, DRAIN_TIMEOUT='0s') as amps:
            self.wait_not_ready(amps, '128 MiB', 'DEAD_LETTER_MODE=broker')
            workload.wait(1)
            self.assertEqual(amps.metric('amps_dead_letters_total'), 0)
            self.assertEqual(amps.stop(), 0)
        queue.wait_count(1)

        # The way out that is told.
        dead = self.queue('classic')
        other = self.queue('classic', x_dead_letter_exchange='', x_dead_letter_routing_key=dead.name)
        other.publish(body)
        with Workload() as workload, \
                Amps(self.node.uri, other.name, workload, DEAD_LETTER_MODE='broker') as amps:
            dead.wait_count(1)
            amps.stop()
        self.assertTrue(dead.take()[1] == body)

    def test_broker_mode(self):
        for queue_type in QUEUE_TYPES:
            dead = self.queue()
            kept = self.queue(queue_type, x_dead_letter_exchange='',
                              x_dead_letter_routing_key=dead.name)
            bare = self.queue(queue_type)
            for queue in (kept, bare):
                queue.publish(event('a'))
                with Workload(reject) as workload, \
                        Amps(self.node.uri, queue.name, workload,
                             DEAD_LETTER_MODE='broker').wait_ready() as amps:
                    wait_until(lambda: amps.metric('amps_discarded_total') == 1, what='the end')
                    self.assertEqual(amps.metric('amps_dead_letters_total'), 0)
                    line = next(line for line in amps.log.splitlines() if 'discards' in line)
                    self.assertIn('"level":"warning"', line)
                    self.assertTrue(amps.is_ready())
                    amps.stop()
                self.assertEqual(queue.count(), 0)
                self.assertFalse(self.exists(queue.name + '.dead'))
            self.assertEqual(dead.take()[1], event('a'))
            self.assertEqual(dead.count(), 0)

    def attempts_of_a_job_put_back(self, queue, dead, **settings):
        """What a job says that fails for good, and again after it was put back as it was."""
        queue.publish(event('a'))
        with Workload(lambda _: (500, {'Retry-After': '1'}, b'')) as workload, \
                Amps(self.node.uri, queue.name, workload, MAX_ATTEMPTS=2, **settings) as amps:
            properties, body = (dead or self.found(queue.name + '.dead')).take()
            queue.publish(body, properties.headers, message_id=properties.message_id)
            workload.wait(4)
            (dead or self.found(queue.name + '.dead')).wait_count(1)
            amps.stop()
        self.assertEqual(queue.count(), 0)
        return [(post.headers['Amps-Attempt'], post.headers['Amps-Redelivered'])
                for post in workload.posts]

    def test_dead_letter_that_is_put_back_starts_a_new_life(self):
        anew = [('1', 'false'), ('2', 'false')] * 2
        for queue_type in QUEUE_TYPES:
            self.assertEqual(self.attempts_of_a_job_put_back(self.queue(queue_type), None), anew)
            dead = self.queue()
            kept = self.queue(queue_type, x_dead_letter_exchange='',
                              x_dead_letter_routing_key=dead.name)
            self.assertEqual(
                self.attempts_of_a_job_put_back(kept, dead, DEAD_LETTER_MODE='broker'), anew)


if __name__ == '__main__':
    unittest.main()
