# SPDX-License-Identifier: MIT
"""The embedded broker: sharing a file, and dying."""

import collections
import contextlib
import itertools
import json
import os
import pathlib
import re
import signal
import sqlite3
import threading
import time
import unittest

from amps import Amps, WallClock, wait_until
from broker import event
from embedded import EmbeddedTest
from workload import Workload, acknowledge

MANUAL = pathlib.Path(__file__).parents[2] / 'docs/embedded-broker.md'


class Embedded(EmbeddedTest):
    """See docs/embedded-broker.md."""

    def test_publish_is_durable(self):
        with Amps(self.uri, 'jobs').wait_listening() as amps:
            wait_until(lambda: amps.get('/health').json['connected'], what='an open file')
            self.assertEqual(amps.post('/publish', event('a', type='new')).status, 202)
            amps.stop(signal.SIGKILL)
        with Workload() as workload, Amps(self.uri, 'new', workload):
            self.assertEqual(workload.wait(1)[0].id, 'a')

    def test_processes_that_start_at_once_on_a_new_file(self):
        for number in range(15):
            path = os.path.join(self.folder, f'new-{number}.db')
            with contextlib.ExitStack() as stack:
                starting = [stack.enter_context(Amps(f'sqlite://{path}', f'q{n}'))
                            for n in range(5)]
                for amps in starting:
                    wait_until(lambda amps=amps: amps.is_listening()
                               and amps.get('/health').json['connected'], what='an open file')
                    self.assertNotIn('"Broker', '\n'.join(
                        line for line in amps.log.splitlines() if '"warning"' in line))
            database = sqlite3.connect(path)
            self.assertEqual(database.execute('PRAGMA journal_mode').fetchone()[0], 'wal')
            self.assertEqual(database.execute('SELECT count(*) FROM jobs').fetchone()[0], 0)
            database.close()

    def test_chain_of_two_workloads_on_one_file(self):
        def first(post):
            post.tell('/acknowledge', publish=json.loads(event(post.id + '+', type='second')))
            return 204

        queue = self.queue('first')
        with Workload(first) as one, Workload() as two, \
                Amps(self.uri, 'first', one), Amps(self.uri, 'second', two):
            for number in range(20):
                queue.publish(event(number))
            began = time.monotonic()
            posts = two.wait(20)
            self.assertLess(time.monotonic() - began, 2)
            self.assertEqual({post.id for post in posts}, {f'{n}+' for n in range(20)})

    def test_processes_share_a_queue(self):
        queue = self.queue()
        with Workload() as workload, \
                Amps(self.uri, 'jobs', workload, MAX_CONCURRENCY=10, WORKER_ID='a').wait_ready(), \
                Amps(self.uri, 'jobs', workload, MAX_CONCURRENCY=10, WORKER_ID='b').wait_ready():
            numbers = itertools.count()

            def both_have_had_some():
                queue.fill(event(next(numbers)) for _ in range(100))
                shares = collections.Counter(
                    post.headers['Amps-Worker'] for post in workload.posts)
                return min(shares['a'], shares['b']) > 40

            wait_until(both_have_had_some, timeout=30, what='a share for each')
            queue.wait_count(0)
            wait_until(lambda: self.rows() == 0, what='an empty file')
            self.assertEqual(len(workload.posts), next(numbers))

    def test_killed_process_leaves_its_jobs_to_the_other(self):
        queue = self.queue()
        queue.publish(event('a'))
        with Workload(lambda post: 202 if post.id == 'a' else acknowledge(post)) as workload, \
                Amps(self.uri, 'jobs', workload, WORKER_ID='first') as first:
            workload.wait(1)
            with Amps(self.uri, 'jobs', workload, WORKER_ID='second').wait_ready():
                queue.fill(event(number) for number in range(500, 1000))
                # However long it runs, the lease is renewed.
                time.sleep(5)
                self.assertEqual([post.headers['Amps-Worker'] for post in workload.posts
                                  if post.id == 'a'], ['first'])
                first.stop(signal.SIGKILL)
                began = time.monotonic()
                wait_until(lambda: [post.headers['Amps-Worker'] for post in workload.posts
                                    if post.id == 'a'] == ['first', 'second'], 10, 'the job')
                self.assertGreater(time.monotonic() - began, 0.5)
                self.assertLess(time.monotonic() - began, 3.5)

    def test_jobs_wake_the_other_process_at_once(self):
        link = os.path.join(self.folder, 'link.db')
        os.symlink(self.path, link)
        with Workload() as workload, Amps(self.uri, 'jobs', workload).wait_ready(), \
                Amps(f'sqlite://{link}', 'other').wait_listening() as other:
            wait_until(lambda: other.get('/health').json['connected'], what='an open file')
            waits = []
            for number in range(10):
                began = time.monotonic()
                other.post('/publish', event(number, type='jobs'))
                waits.append(workload.wait(number + 1)[number].time - began)
                time.sleep(0.15)
            self.assertLess(sorted(waits)[5], 0.2, waits)

    def test_delayed_retry_of_a_process_that_died(self):
        queue = self.queue()
        queue.publish(event('a'))
        with Workload(lambda _: 500) as failing, \
                Amps(self.uri, 'jobs', failing, RETRY_MIN_BACKOFF='3s',
                     RETRY_MAX_BACKOFF='3s') as amps:
            failing.wait(1)
            wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the retry being written')
            amps.stop(signal.SIGKILL)
            first = failing.posts[0]
        with Workload() as workload, Amps(self.uri, 'jobs', workload):
            post = workload.wait(1)[0]
            self.assertEqual(post.headers['Amps-Attempt'], '2')
            self.assertGreater(post.time - first.time, 1)

    def test_dead_letters_by_default(self):
        queue = self.queue()
        queue.publish(event('a'))
        dead = self.queue('jobs.dead')
        with Workload(lambda post: post.tell('/reject', reason='no good') and 204) as workload, \
                Amps(self.uri, 'jobs', workload):
            beside, body = dead.take()
        self.assertEqual(body, event('a'))
        self.assertEqual(beside.headers, {'x-amps-reason': 'rejected', 'x-amps-detail': 'no good',
                                          'x-amps-attempt': 1, 'x-amps-queue': 'jobs'})

    def test_dead_letters_that_are_put_back_start_anew(self):
        queue = self.queue()
        queue.publish(event('a'))
        statement = re.search(r"`(UPDATE jobs SET queue = origin.*?)`", MANUAL.read_text()).group(1)
        statement = statement.replace('orders.dead', 'jobs.dead')
        with Workload(lambda _: 500) as workload, \
                Amps(self.uri, 'jobs', workload, MAX_ATTEMPTS=3, RETRY_MIN_BACKOFF='10ms',
                     RETRY_MAX_BACKOFF='10ms'):
            for life in range(1, 3):
                wait_until(lambda: self.rows("queue = 'jobs.dead' AND reason = 'max-attempts'"
                                             " AND attempt = 3 AND origin = 'jobs'") == 1)
                self.assertEqual([post.headers['Amps-Attempt'] for post in workload.posts],
                                 ['1', '2', '3'] * life)
                database = sqlite3.connect(self.path, timeout=10)
                with database:
                    database.execute(statement)
                database.close()
            workload.wait(7)
            self.assertEqual(workload.posts[6].headers['Amps-Redelivered'], 'false')
            self.assertEqual(self.rows('reason IS NULL AND died IS NULL'), 1)

    def test_rejected_jobs_are_discarded_only_by_the_mode_broker(self):
        queue = self.queue()
        queue.publish(event('a'))
        with Workload(lambda _: 422) as workload, \
                Amps(self.uri, 'jobs', workload, DEAD_LETTER_MODE='broker') as amps:
            workload.wait(1)
            wait_until(lambda: self.rows() == 0, what='the job being gone')
            self.assertIn('it discards rejected jobs', amps.log)
            amps.stop()
            queue.publish(event('b'))
            with Amps(self.uri, 'jobs', workload, DEAD_LETTER_MODE='queue') as keeping:
                wait_until(lambda: self.rows("queue = 'jobs.dead'") == 1, what='the dead letter')
                self.assertNotIn('discard', keeping.log)

    def test_memory(self):
        with Workload() as workload, \
                Amps('sqlite::memory:', 'jobs', workload).wait_ready() as amps:
            for number in range(5):
                self.assertEqual(amps.post('/publish', event(number, type='jobs')).status, 202)
            workload.wait(5)
            wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end')
            self.assertEqual(amps.stop(), 0)

    def test_suspended_process_settles_nothing_of_another(self):
        queue = self.queue()
        queue.publish(event('a'))
        with Workload(lambda _: 202) as slow, Workload(lambda _: 202) as other, \
                Amps(self.uri, 'jobs', slow) as first:
            slow.wait(1)
            first.process.send_signal(signal.SIGSTOP)
            with Amps(self.uri, 'jobs', other) as second:
                other.wait(1, timeout=10)
                # Waits in the socket, so that it races with whatever wakes up first.
                statuses = []
                acknowledging = threading.Thread(
                    target=lambda: statuses.append(slow.posts[0].acknowledge()))
                acknowledging.start()
                time.sleep(0.2)
                first.process.send_signal(signal.SIGCONT)
                acknowledging.join()
                self.assertEqual(statuses, [404])
                first.wait_log('1 jobs had ended, and others took them')
                self.assertEqual(slow.posts[0].acknowledge(), 404)
                self.assertEqual(first.get('/jobs').json['count'], 0)
                self.assertEqual(second.get('/jobs').json['count'], 1)
                self.assertEqual(self.rows(), 1)
                self.assertEqual(other.posts[0].acknowledge(), 202)
                wait_until(lambda: self.rows() == 0, what='the job being gone')
            self.assertEqual(len(slow.posts) + len(other.posts), 2)

    def test_jobs_come_back_to_a_process_that_was_suspended(self):
        queue = self.queue()
        for name in ('done', 'given up', 'running'):
            queue.publish(event(name))
        with Workload(lambda _: 202) as slow, Workload(lambda _: 202) as other, \
                Amps(self.uri, 'jobs', slow) as first:
            posts = {post.id: post for post in slow.wait(3)}
            first.process.send_signal(signal.SIGSTOP)
            with Amps(self.uri, 'jobs', other) as second:
                other.wait(3, timeout=10)
                first.process.send_signal(signal.SIGCONT)
                first.wait_log('3 jobs had ended, and others took them')
                self.assertEqual(posts['done'].acknowledge(), 404)
                self.assertEqual(posts['given up'].tell('/heartbeat'), 404)
                second.stop(signal.SIGKILL)
            # Whoever was told that a job is not his may have undone what he did.
            again = slow.wait(5)[3:]
            self.assertEqual({post.id for post in again}, {'done', 'given up'})
            for post in (posts['running'], *again):
                self.assertEqual(post.acknowledge(), 202)
            wait_until(lambda: self.rows() == 0, what='all being gone')
            self.assertEqual(len(slow.posts), 5)

    def test_suspended_process_goes_on_if_nobody_took_its_jobs(self):
        queue = self.queue()
        queue.publish(event('a'))
        with Workload(lambda _: 202) as workload, Amps(self.uri, 'jobs', workload) as amps:
            workload.wait(1)
            amps.process.send_signal(signal.SIGSTOP)
            time.sleep(3)
            amps.process.send_signal(signal.SIGCONT)
            time.sleep(1)
            self.assertEqual(workload.posts[0].acknowledge(), 202)
            wait_until(lambda: self.rows() == 0, what='the job being gone')
            self.assertEqual(len(workload.posts), 1)
            self.assertNotIn('others took', amps.log)

    def test_answer_to_a_process_that_was_suspended_is_true(self):
        queue = self.queue()
        queue.publish(event('a'))
        with Workload(lambda _: 202) as workload, Amps(self.uri, 'jobs', workload) as amps:
            workload.wait(1)
            amps.process.send_signal(signal.SIGSTOP)
            statuses = []
            acknowledging = threading.Thread(
                target=lambda: statuses.append(workload.posts[0].acknowledge()))
            acknowledging.start()
            time.sleep(3)
            amps.process.send_signal(signal.SIGCONT)
            acknowledging.join()
            # By then it may be known that nobody took it. If not, the job comes again.
            self.assertIn(statuses, ([202], [404]))
            if statuses == [404]:
                self.assertEqual(workload.wait(2)[1].acknowledge(), 202)
            wait_until(lambda: self.rows() == 0, what='the job being gone')
            self.assertEqual(len(workload.posts), 1 if statuses == [202] else 2)

    def test_wall_clock_that_is_set(self):
        clock = WallClock(self)
        settings = clock.settings
        queue = self.queue()
        queue.publish(event('long'))
        with Workload(lambda _: 202) as workload, \
                Amps(self.uri, 'jobs', workload, WORKER_ID='a', **settings).wait_ready() as first, \
                Amps(self.uri, 'jobs', workload, WORKER_ID='b', **settings).wait_ready() as second:
            workload.wait(1)
            for number, offset in enumerate((3600, 0, 86400, -3600)):
                clock.set(offset)
                # Longer than a lease.
                time.sleep(3)
                self.assertEqual(len(workload.posts), number + 1)
                queue.publish(event(number))
                post = workload.wait(number + 2)[-1]
                self.assertEqual(post.id, str(number))
                self.assertEqual(post.tell('/acknowledge', reschedule=True, delay='10s'), 202)
            self.assertEqual(workload.posts[0].acknowledge(), 202)
            for amps in (first, second):
                self.assertNotIn('others took', amps.log)
            # Each was given back at another time of day.
            posts = workload.wait(9)[5:]
            self.assertEqual([post.id for post in posts], ['0', '1', '2', '3'])
            for again, post in zip(posts, workload.posts[1:5]):
                self.assertAlmostEqual(again.time - post.time, 10, delta=2)

    def test_wall_clock_that_is_set_between_two_runs(self):
        clock = WallClock(self)
        queue = self.queue()
        for offset in (-86400, 0, 86400):
            queue.publish(event('a'))
            with Workload(lambda _: (500, {'Retry-After': '6'}, b'')) as workload:
                with Amps(self.uri, 'jobs', workload, **clock.settings) as amps:
                    workload.wait(1)
                    wait_until(lambda: self.rows('owner IS NULL AND due > 0'), what='the retry')
                    amps.stop()
                clock.set(offset)
                workload.answer = acknowledge
                with Amps(self.uri, 'jobs', workload, **clock.settings) as amps:
                    posts = workload.wait(2)
                    wait_until(lambda: self.rows() == 0, what='the end')
                    amps.stop()
                self.assertAlmostEqual(posts[1].time - posts[0].time, 7, delta=1.5)


if __name__ == '__main__':
    unittest.main()
