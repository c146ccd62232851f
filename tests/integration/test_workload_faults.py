# SPDX-License-Identifier: MIT
"""Workloads that are started anew, or answer as they should not."""

import time
import unittest

import pika

from amps import Amps, wait_until
from broker import EMBEDDED, BrokerTest, event
from raw_workload import RawWorkload
from workload import Workload


def answer_early(answer, close):
    """Answers with the same bytes once the headers have come, and has read no more then."""
    def serve(connection, _):
        head = b''
        while b'\r\n\r\n' not in head:
            part = connection.recv(1024)
            if not part:
                return
            head += part
        connection.sendall(answer)
        if close:
            connection.close()
    return serve


class WorkloadFaults(BrokerTest):
    """What the workload does is never the end of a job, nor of its place."""

    def accepted(self, count, **settings):
        """A workload that has accepted so many jobs and works on them, and AMPS, full."""
        queue = self.queue()
        queue.fill(event(number) for number in range(2 * count))
        workload = Workload(lambda _: 202)
        self.addCleanup(workload.stop)
        amps = Amps(self.node.uri, queue.name, workload, MAX_CONCURRENCY=count, JOB_TIMEOUT='1h',
                    RETRY_MIN_BACKOFF='100ms', RETRY_MAX_BACKOFF='100ms', **settings)
        self.addCleanup(amps.__exit__)
        workload.wait(count)
        wait_until(lambda: amps.get('/jobs').body.count('"running"') == count, what='acceptance')
        return queue, workload, amps

    def assert_all_run_again(self, queue, workload, amps, count):
        """The places are free, and every job ends."""
        done = set()

        def work(post):
            post.acknowledge()
            done.add((post.id, post.headers['Amps-Attempt']))
            return 204

        workload.answer = work
        workload.start()
        wait_until(lambda: len(done) == 2 * count, what='the end of all')
        self.assertEqual(sorted(attempt for _, attempt in done), ['1'] * count + ['2'] * count)
        self.assertEqual(amps.metric('amps_job_outcomes_total{outcome="expired"}'), count)
        self.assertIn(f'was restarted: {count} jobs', amps.log)
        amps.stop()
        queue.wait_count(0)

    def test_restart_frees_the_places(self):
        queue, workload, amps = self.accepted(10)
        workload.stop()
        time.sleep(2)
        self.assert_all_run_again(queue, workload, amps, 10)

    def test_restart_in_a_moment(self):
        queue, workload, amps = self.accepted(10)
        workload.stop()
        time.sleep(0.05)
        self.assert_all_run_again(queue, workload, amps, 10)

    def test_restart_when_no_connection_was_kept(self):
        queue, workload, amps = self.accepted(10)
        time.sleep(5)
        workload.stop()
        time.sleep(0.4)
        self.assert_all_run_again(queue, workload, amps, 10)

    def test_keep(self):
        _, workload, amps = self.accepted(3, WORKLOAD_RESTART='keep')
        workload.stop()
        time.sleep(2)
        workload.start()
        amps.wait_ready()
        time.sleep(1)
        self.assertEqual(amps.get('/jobs').body.count('"running"'), 3)
        self.assertEqual([post.acknowledge() for post in workload.posts[:3]], [202] * 3)
        workload.wait(6)

    def test_dead_letter_of_a_restart(self):
        dead = self.queue()
        _, workload, _ = self.accepted(1, MAX_ATTEMPTS=1, DEAD_LETTER_QUEUE=dead.name)
        workload.stop()
        time.sleep(1)
        workload.start()
        dead.wait_count(1)
        properties, _ = dead.take()
        self.assertEqual(properties.headers['x-amps-reason'], 'workload-restarted')
        self.assertIn('was restarted', properties.headers['x-amps-detail'])

    def dead_letter(self, workload, body, **settings):
        """Why AMPS rejects the only job, and after how long."""
        dead, queue = self.queue(), self.queue()
        queue.publish(body)
        began = time.monotonic()
        with Amps(self.node.uri, queue.name, workload, DEAD_LETTER_QUEUE=dead.name, **settings):
            dead.wait_count(1)
            duration = time.monotonic() - began
            properties, dead_body = dead.take()
            self.assertEqual(dead_body, body)
            return properties.headers, duration

    def test_answer_before_the_request_was_read(self):
        """A server that finds a body too large says so and goes, with most of it unread."""
        answer = b'HTTP/1.1 413 Too large\r\nContent-Length: 8\r\n\r\nso large'
        for close in (True, False):
            with RawWorkload(answer_early(answer, close)) as workload:
                headers, _ = self.dead_letter(workload, event('a', data='x' * 8_000_000),
                                              WORKLOAD_RESPONSE_TIMEOUT='2s')
                self.assertEqual(headers['x-amps-reason'], 'status')
                self.assertIn('413: so large', headers['x-amps-detail'])
                self.assertEqual(workload.requests, 1)

    def test_log_follows_a_job_and_shows_no_answer(self):
        """What an answer says is in the job's details, and its status and length in the log."""
        queue = self.queue()
        queue.publish(event('job-1'))
        answers = [(500, {}, b'customer 4711'), (400, {}, b'customer 4712')]
        with Workload(lambda _: answers.pop(0)) as workload, \
                Amps(self.node.uri, queue.name, workload, RETRY_MIN_BACKOFF='900ms',
                     RETRY_MAX_BACKOFF='900ms').wait_listening() as amps:
            wait_until(lambda: 'customer 4711' in amps.get('/jobs/job-1').body, what='the detail')
            workload.wait(2)
            amps.wait_log('Rejected a job')
            amps.wait_log('is settled')
            log = amps.log
            self.assertNotIn('customer', log)
            self.assertIn('the workload answered 500 with 13 bytes', log)
            self.assertIn('the workload answered 400 with 13 bytes', log)
            own = [line for line in log.splitlines() if '"AMPS_JOB_ID":"job-1"' in line
                   or '"job_id":"job-1"' in line]
            for step in ('is received', 'is POSTed as', 'attempt 1', 'is answered', 'attempt 2',
                         'is settled as rejected'):
                self.assertTrue(any(step in line for line in own), f'{step} in {own}')

    def test_no_answer_in_time_is_a_warning(self):
        queue = self.queue()
        queue.publish(event('a'))
        with Workload(lambda _: time.sleep(3) or 202) as workload, \
                Amps(self.node.uri, queue.name, workload, WORKLOAD_RESPONSE_TIMEOUT='1s') as amps:
            amps.wait_log('answer 202 first')
            line = next(line for line in amps.log.splitlines() if 'answer 202 first' in line)
            self.assertIn('"level":"warning"', line)

    def test_switching_protocols(self):
        """Nobody asked for it, so it is an answer like any other."""
        answer = (b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n'
                  b'Connection: Upgrade\r\n\r\n')
        with RawWorkload(answer_early(answer, close=False)) as workload:
            headers, duration = self.dead_letter(workload, event('a'))
            self.assertIn('101', headers['x-amps-detail'])
            self.assertLess(duration, 10)

    def test_retry_after_has_bounds(self):
        """A wish of a year is not granted, and what makes no sense is ignored."""
        for wish, longest in (('31536000', 3600), ('99999999999999999999', 3600), ('soon', 1),
                              ('-5', 1)):
            queue = self.queue()
            queue.publish(event('a'))
            with Workload(lambda _, wish=wish: (500, {'Retry-After': wish}, b'')) as workload, \
                    Amps(self.node.uri, queue.name, workload, RETRY_MIN_BACKOFF='1s',
                         RETRY_MAX_BACKOFF='1s') as amps:
                amps.wait_log('next one in ')
                delay = float(amps.log.split('next one in ')[1].split(' s')[0])
                self.assertLessEqual(delay, longest)
                self.assertGreaterEqual(delay, 3600 if longest == 3600 else 0)
                if not EMBEDDED and longest == 3600:
                    wait_until(lambda queue=queue: self.retries(queue, '1h') == 1,
                               what='the copy in the queue')

    def retries(self, queue, step):
        """How many wait in a retry queue; none before AMPS has declared it."""
        try:
            return queue.channel().queue_declare(f'{queue.name}.retry.{step}',
                                                 passive=True).method.message_count
        except pika.exceptions.ChannelClosedByBroker:
            return 0


if __name__ == '__main__':
    unittest.main()
