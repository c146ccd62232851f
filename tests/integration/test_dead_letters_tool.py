# SPDX-License-Identifier: MIT
"""`ampsctl dead`: dead letters are looked at, put back and removed, and never lost.

AMPS_TEST_DEAD_LETTERS says how many of them there are where it is interrupted."""

import collections
import errno
import json
import os
import pathlib
import pty
import random
import signal
import sqlite3
import subprocess
import time
import unittest

import pika

from amps import Amps, wait_until
from broker import EMBEDDED, BrokerTest, amqp_only, event
from workload import Workload

AMPSCTL = os.environ['AMPSCTL']
N_LETTERS = int(os.environ.get('AMPS_TEST_DEAD_LETTERS', 600))

# See MAX_UNCONFIRMED in src/broker/amqp/amps-dead-letters-amqp.c: as many again may be
# confirmed, with their acknowledgements still on the way to the broker.
MAX_TWICE = 0 if EMBEDDED else 2 * 50


def reject(post):
    """What the workload of these tests thinks of a job, by its type."""
    if post.event['type'] == 'status':
        return 422
    post.tell('/reject', reason='no such mailbox')
    return 202


def setUpModule():
    """Starts the one node of all classes."""
    BrokerTest.setUpClass.__func__(ToolTest)


def tearDownModule():
    """Stops it."""
    BrokerTest.tearDownClass.__func__(ToolTest)


class ToolTest(BrokerTest):
    """Each test has a queue and its dead letters."""

    @classmethod
    def setUpClass(cls):
        """The node is there."""

    @classmethod
    def tearDownClass(cls):
        """It stays."""

    def setUp(self):
        self.jobs, self.dead = self.queue_with_dead_letters()

    def start(self, *arguments, subject=None, uri=None, **settings):
        """Starts `ampsctl dead`."""
        environment = {name: value for name, value in os.environ.items()
                       if '_' not in name or name.endswith('SAN_OPTIONS')}
        environment.update(BROKER_HOST=uri or self.node.uri,
                           BROKER_SUBJECT=subject or self.jobs.name, **settings)
        return subprocess.Popen([AMPSCTL, 'dead', *arguments], env=environment, text=True, cwd='/',
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def run_tool(self, *arguments, status=0, **settings):
        """Runs it, and returns what it has printed, and what it has complained of."""
        process = self.start(*arguments, **settings)
        output, complaints = process.communicate(timeout=60)
        self.assertEqual(process.returncode, status, f'{arguments}: {output}{complaints}')
        return output, complaints

    def ask(self, *arguments, **settings):
        """Runs it for a program, and returns the answer."""
        return json.loads(self.run_tool(*arguments, '--json', **settings)[0])

    def ids(self, *arguments):
        """Which ones are listed."""
        return [letter['id'] for letter in self.ask('list', *arguments)['dead_letters']]

    def bury(self, count, **headers):
        """Dead letters as AMPS makes them, with the ids 0, 1, 2, …"""
        headers = {'x-amps-reason': 'rejected', 'x-amps-queue': self.jobs.name,
                   'x-amps-attempt': 3, **headers}
        if not EMBEDDED:
            channel = self.dead.channel().connection.channel()
            for number in range(count):
                channel.basic_publish('', self.dead.name, event(number), pika.BasicProperties(
                    delivery_mode=2, headers=headers))
            self.dead.wait_count(count)
            return
        with sqlite3.connect(self.node.path, timeout=10) as database:
            database.executemany(
                'INSERT INTO jobs (queue, body, published, origin, reason, died, attempt)'
                ' VALUES (?, ?, 1, ?, ?, ?, 3)',
                ((self.dead.name, event(number), headers['x-amps-queue'],
                  headers['x-amps-reason'], int(time.time() * 1e6)) for number in range(count)))
        database.close()

    def empty(self, queue):
        """Takes all out of a queue, and returns the ids."""
        if EMBEDDED:
            with sqlite3.connect(self.node.path, timeout=10) as database:
                rows = database.execute('DELETE FROM jobs WHERE queue = ? RETURNING body',
                                        (queue.name,)).fetchall()
            database.close()
            return [json.loads(body)['id'] for body, in rows]
        count, ids = queue.count(), []
        if count == 0:
            return ids
        channel = queue.channel().connection.channel()
        for method, _, body in channel.consume(queue.name, auto_ack=True, inactivity_timeout=20):
            self.assertIsNotNone(method, f'{len(ids)} of {count} came')
            ids.append(json.loads(body)['id'])
            if len(ids) == count:
                break
        channel.close()
        return ids


class Look(ToolTest):
    """Dead letters that AMPS has made."""

    def setUp(self):
        super().setUp()
        with Workload(reject) as workload, Amps(self.node.uri, self.jobs.name, workload,
                                                WORKER_ID='mail-1') as amps:
            for name, kind in (('a', 'mail'), ('b', 'status'), ('c', 'mail')):
                self.jobs.publish(event(name, type=kind, data='ü'))
            self.jobs.publish(b'hello')
            self.dead.wait_count(4)
            amps.stop()

    def test_all_of_them(self):
        for _ in range(3):
            answer = self.ask('list')
            self.assertEqual([answer[name] for name in ('there', 'seen', 'listed')], [4, 4, 4])
            letters = {letter['id']: letter for letter in answer['dead_letters']}
            self.assertEqual(set(letters), {'a', 'b', 'c', None})
            self.assertEqual(self.dead.count(), 4)
        letter = letters['a']
        self.assertEqual(letter['source'], '/test')
        self.assertEqual(letter['type'], 'mail')
        self.assertEqual(letter['reason'], 'rejected')
        self.assertEqual(letter['detail'], 'no such mailbox')
        self.assertEqual(letter['attempt'], 1)
        self.assertEqual(letter['queue'], self.jobs.name)
        self.assertEqual(letter['worker'], None if EMBEDDED else 'mail-1')
        self.assertRegex(letter['time'], r'^20\d\d-\d\d-\d\dT[\d:.]+Z$')
        self.assertEqual(letter['size'], len(event('a', type='mail', data='ü')))
        self.assertNotIn('body', letter)
        self.assertEqual(letters['b']['reason'], 'status')
        self.assertEqual(letters[None]['reason'], 'malformed')

    def test_filters(self):
        self.assertEqual(set(self.ids('--reason', 'rejected')), {'a', 'c'})
        self.assertEqual(self.ids('--reason=status', '--type=status'), ['b'])
        self.assertEqual(self.ids('--reason=status', '--type=mail'), [])
        self.assertEqual(set(self.ids('--id', 'a', '--id', 'b', '--id', 'x')), {'a', 'b'})
        self.assertEqual(self.ids('--older-than', '1h'), [])
        self.assertEqual(len(self.ids('--older-than', '1ms')), 4)
        self.assertEqual(len(self.ids('--limit', '2')), 2)
        self.assertEqual(len(self.ids('--type', 'mail', '--limit', '1')), 1)
        self.assertEqual(self.dead.count(), 4)

    def test_for_people(self):
        output, complaints = self.run_tool('list')
        self.assertEqual(complaints, '')
        self.assertEqual(len(output.splitlines()), 5)
        self.assertIn('no such mailbox', output)
        self.assertNotIn('\033', output)
        self.assertIn('in all: 4', self.run_tool('list', '--id', 'x')[0])

    def test_show(self):
        output, _ = self.run_tool('show', 'a')
        self.assertIn('Reason: rejected\n', output)
        self.assertTrue(output.endswith('\n\n' + event('a', type='mail', data='ü').decode() + '\n'))
        shown = self.ask('show', 'a', 'b')
        self.assertEqual({letter['id']: letter['body'] for letter in shown},
                         {name: json.loads(event(name, type=kind, data='ü'))
                          for name, kind in (('a', 'mail'), ('b', 'status'))})
        self.assertIn('no such dead letter', self.run_tool('show', 'x', status=1)[1])
        self.run_tool('show', status=64)
        self.assertEqual(self.dead.count(), 4)

    def test_redrive_some(self):
        self.assertEqual(self.ask('redrive', '--reason', 'rejected', '--dry-run')['listed'], 2)
        self.assertEqual(self.dead.count(), 4)
        answer = self.ask('redrive', '--reason', 'rejected')
        self.assertEqual([answer[name] for name in ('there', 'seen', 'redriven', 'failed')],
                         [4, 4, 2, 0])
        self.assertEqual({letter['id'] for letter in answer['dead_letters']}, {'a', 'c'})
        self.assertEqual(self.dead.count(), 2)
        with Workload() as workload, Amps(self.node.uri, self.jobs.name, workload):
            posts = workload.wait(2)
        self.assertEqual({post.id for post in posts}, {'a', 'c'})
        for post in posts:
            self.assertEqual(post.body, event(post.id, type='mail', data='ü'))
            self.assertEqual(post.headers['Amps-Attempt'], '1')
        self.assertIn('1 dead letter was put back', self.run_tool('redrive', '--id', 'b')[0])
        self.assertIn('in all: 1', self.run_tool('list', '--id', 'b')[0])

    def test_purge_some(self):
        self.assertEqual(self.ask('purge', '--type', 'mail', '--dry-run')['listed'], 2)
        self.assertEqual(self.dead.count(), 4)
        self.assertEqual(self.ask('purge', '--type', 'mail')['purged'], 2)
        self.assertEqual(set(self.ids()), {'b', None})
        self.assertEqual(self.jobs.count(), 0)

    def test_all_has_to_be_said(self):
        for command in ('redrive', 'purge'):
            self.assertIn('--all', self.run_tool(command, status=64)[1])
            self.assertEqual(self.dead.count(), 4)
        self.assertIn('4 dead letters were removed', self.run_tool('purge', '--all')[0])
        self.assertEqual(self.dead.count(), 0)
        self.assertEqual(self.ids(), [])
        self.assertIn('There are no dead letters', self.run_tool('list')[0])

    def answer(self, text):
        """What it says and does on a terminal where somebody types a text."""
        child, terminal = pty.fork()
        if child == 0:
            os.execve(AMPSCTL, [AMPSCTL, 'dead', 'purge'],
                      {'BROKER_HOST': self.node.uri, 'BROKER_SUBJECT': self.jobs.name,
                       'TERM': 'xterm', 'LANGUAGE': 'en'})
        said = b''
        while b'[y/N]' not in said:
            said += os.read(terminal, 1000)
        os.write(terminal, text)
        try:
            while chunk := os.read(terminal, 1000):
                said += chunk
        except OSError as error:
            self.assertEqual(error.errno, errno.EIO)
        os.close(terminal)
        return said, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def test_question(self):
        for text in (b'\n', b'n\n', b'please\n', b'\x04'):
            said, status = self.answer(text)
            self.assertIn(b'nothing was done', said)
            self.assertEqual(status, 1)
        self.assertEqual(self.answer(b'\x03')[1], 130)
        self.assertEqual(self.dead.count(), 4)
        said, status = self.answer(b'Yes\n')
        self.assertIn(b'4 dead letters were removed', said)
        self.assertEqual(status, 0)
        self.assertEqual(self.dead.count(), 0)


class Trouble(ToolTest):
    """What is wrong is said, with what to do about it."""

    def test_dead_letters_that_the_broker_keeps(self):
        _, complaints = self.run_tool('list', status=78, DEAD_LETTER_MODE='broker')
        self.assertIn('DEAD_LETTER_MODE=queue DEAD_LETTER_QUEUE=', complaints)
        self.bury(1)
        self.assertEqual(self.ask('list', subject='any', DEAD_LETTER_QUEUE=self.dead.name)['listed'],
                         1)

    @amqp_only
    def test_no_queue(self):
        for command in (['list'], ['redrive', '--all'], ['purge', '--all']):
            _, complaints = self.run_tool(*command, status=1, subject='none')
            self.assertIn('there is no queue “none.dead”', complaints)
            self.assertIn('DEAD_LETTER_QUEUE', complaints)

    def test_no_broker(self):
        uri = ('sqlite:///none/queue.db' if EMBEDDED
               else 'amqp://guest:guest@127.0.0.1:9,amqp://guest:guest@127.0.0.1:10')
        _, complaints = self.run_tool('list', status=1 if EMBEDDED else 69, uri=uri)
        self.assertIn('there is no file' if EMBEDDED else '127.0.0.1:10: connection refused',
                      complaints)

    @amqp_only
    def test_next_broker(self):
        self.bury(3)
        uri = f'amqp://guest:guest@127.0.0.1:9,{self.node.uri}'
        self.assertEqual(self.ask('list', uri=uri)['listed'], 3)

    @amqp_only
    def test_permissions(self):
        self.bury(3)
        other = self.queue(name='other.dead')
        other.publish(event('x'))
        uri = self.uri_of_user('mute', write='none', read=self.dead.name)
        self.assertIn('let the user of BROKER_HOST read it',
                      self.run_tool('list', status=77, subject='other', uri=uri)[1])
        self.assertEqual(self.ask('list', uri=uri)['listed'], 3)
        self.assertIn('write to the exchange “amq.default”',
                      self.run_tool('redrive', '--all', status=77, uri=uri)[1])
        self.assertEqual(self.ids(), ['0', '1', '2'])
        self.assertEqual(other.count(), 1)

    @amqp_only
    def test_stream(self):
        stream = self.queue('stream', 'stream.dead')
        stream.channel().basic_publish('', stream.name, event('a'))
        stream.wait_count(1)
        self.assertIn('is a stream', self.run_tool('list', status=77, subject='stream')[1])

    @amqp_only
    def test_queue_that_is_gone(self):
        gone = self.queue()
        self.dead.publish(event('x'), headers={'x-amps-queue': gone.name})
        self.dead.publish(event('y'), headers={'x-amps-queue': self.jobs.name})
        self.dead.publish(event('z'))
        gone.delete()
        _, complaints = self.run_tool('redrive', '--all', status=1)
        self.assertIn(f'x: there is no queue “{gone.name}”', complaints)
        self.assertIn('1 dead letter stayed', complaints)
        self.assertEqual(set(self.empty(self.jobs)), {'y', 'z'})
        self.assertEqual(self.ids(), ['x'])


class Redrive(ToolTest):
    """However it is interrupted, no dead letter is lost, and few are there twice."""

    def total(self):
        """How many are ready in both queues."""
        return self.jobs.count() + self.dead.count()

    def assert_complete(self, interruptions):
        """Each is among the jobs, and not too often."""
        counts = collections.Counter(self.empty(self.jobs))
        twice = sum(counts.values()) - len(counts)
        print(f'{N_LETTERS} letters, {interruptions} interruptions: {twice} more than once')
        self.assertEqual(set(counts), {str(number) for number in range(N_LETTERS)})
        self.assertEqual(self.dead.count(), 0)
        self.assertLessEqual(twice, interruptions * MAX_TWICE)

    def interrupt(self, how):
        """Redrives until some are redriven. Returns whether it was at it then."""
        before = self.jobs.count()
        enough = before + random.randint(1, N_LETTERS // 4)
        tool = self.start('redrive', '--all')
        while self.jobs.count() < enough and tool.poll() is None:
            pass
        hit = tool.poll() is None
        how(tool)
        tool.communicate(timeout=60)
        return hit and tool.returncode != 0

    def redrive_through(self, how, enough=3):
        """Interrupts it often, and then not any more."""
        self.bury(N_LETTERS)
        interruptions = 0
        while interruptions < enough and self.dead.count() > 0:
            interruptions += self.interrupt(how)
            wait_until(lambda: self.total() >= N_LETTERS, what='what nobody has any more')
        self.assertGreater(interruptions, 0)
        self.ask('redrive', '--all')
        self.assert_complete(interruptions)

    def test_sigkill(self):
        self.redrive_through(subprocess.Popen.kill)

    def test_ctrl_c(self):
        self.redrive_through(lambda tool: tool.send_signal(signal.SIGINT))

    @amqp_only
    def test_broker_that_is_killed(self):
        def restart(_):
            self.node.stop()
            self.node.start()
            self.node.wait_until_ready()
            wait_until(self.is_back, 60, 'the queues')

        self.node.let_queues_settle()
        self.redrive_through(restart, 1)

    def is_back(self):
        """Whether the queues have a leader again."""
        try:
            return self.total() >= 0
        except pika.exceptions.AMQPError:
            return False

    @unittest.skipUnless(EMBEDDED and os.environ.get('FAILING_DISK'), 'this is about the file')
    def test_disk_full(self):
        rule = pathlib.Path(self.node.path).with_name('rule')
        rule.write_text(f'pwrite64 {errno.ENOSPC}')
        self.bury(N_LETTERS)
        _, complaints = self.run_tool('redrive', '--all', status=69, FAILING_DISK_RULE=str(rule),
                                      LD_PRELOAD=os.environ['FAILING_DISK'])
        self.assertIn('No space left on device', complaints)
        self.assertEqual((self.jobs.count(), self.dead.count()), (0, N_LETTERS))
        rule.write_text('')

        def fill(tool):
            rule.write_text(f'pwrite64 {errno.ENOSPC}')
            tool.wait(60)
            rule.write_text('')

        environment = {'FAILING_DISK_RULE': str(rule), 'LD_PRELOAD': os.environ['FAILING_DISK']}
        start, self.start = self.start, lambda *arguments, **settings: start(
            *arguments, **settings, **environment)
        interruptions = 0
        while interruptions < 3 and self.dead.count() > 0:
            interruptions += self.interrupt(fill)
            self.assertEqual(self.total(), N_LETTERS)
        self.ask('redrive', '--all')
        self.assert_complete(interruptions)

    def test_jobs_that_are_given_up_again(self):
        """It comes to an end all the same."""
        self.bury(N_LETTERS)
        with Workload(lambda _: 422) as workload, \
                Amps(self.node.uri, self.jobs.name, workload, MAX_CONCURRENCY=100):
            self.assertEqual(self.ask('redrive', '--all')['redriven'], N_LETTERS)
            self.dead.wait_count(N_LETTERS, 60)
            counts = collections.Counter(post.id for post in workload.posts)
        self.assertEqual(len(counts), N_LETTERS)
        self.assertLessEqual(max(counts.values()), 2)

    def test_last_one(self):
        """What is in front of it is more than is held at once."""
        self.bury(N_LETTERS)
        last = str(N_LETTERS - 1)
        self.assertEqual(self.ask('redrive', '--id', last)['redriven'], 1)
        self.assertEqual(self.empty(self.jobs), [last])
        self.assertEqual(self.dead.count(), N_LETTERS - 1)

    @amqp_only
    def test_looked_at_too_often(self):
        """A quorum queue drops what was given back so often."""
        limited = self.queue(name=self.jobs.name + '.limited', x_delivery_limit=20)
        for number in range(20):
            limited.publish(event(number), headers={'x-amps-reason': 'rejected', 'mine': 'x'})
        for _ in range(45):
            answer = self.ask('list', '--reason', 'rejected', DEAD_LETTER_QUEUE=limited.name)
            self.assertEqual(answer['listed'], 20)
        properties, _ = limited.take()
        self.assertEqual(properties.headers['mine'], 'x')
        self.assertEqual(sorted(map(int, self.empty(limited))), list(range(20))[1:])


if __name__ == '__main__':
    unittest.main()
