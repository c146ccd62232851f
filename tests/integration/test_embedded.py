# SPDX-License-Identifier: MIT
"""The embedded broker: sharing a file, dying, and files that are no good."""

import collections
import json
import os
import random
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

from amps import Amps, wait_until
from broker import EmbeddedNode, EmbeddedQueue, event
from workload import Workload


class Embedded(unittest.TestCase):
    """Contract, section 9."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        self.addCleanup(self._folder.cleanup)
        self.folder = self._folder.name
        self.path = os.path.join(self.folder, 'queue.db')
        self.uri = f'sqlite://{self.path}?lease=2s'

    def queue(self, name='jobs'):
        """A queue of the file, which exists by then."""
        node = EmbeddedNode(self.folder, '')
        if not os.path.exists(self.path):
            node.start()
        queue = EmbeddedQueue(node, name, None, None)
        self.addCleanup(queue.close)
        return queue

    def test_publish_is_durable(self):
        with Amps(self.uri, 'jobs').wait_listening() as amps:
            wait_until(lambda: amps.get('/health').json['connected'], what='an open file')
            self.assertEqual(amps.post('/publish', event('a', type='new')).status, 202)
            amps.stop(signal.SIGKILL)
        with Workload() as workload, Amps(self.uri, 'new', workload):
            self.assertEqual(workload.wait(1)[0].id, 'a')

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

    def test_processes_share_a_queue_and_die(self):
        count = int(os.environ.get('AMPS_TEST_JOBS', 3000))
        rng = random.Random(5)
        queue = self.queue()
        queue.fill(event(number) for number in range(count))
        with Workload() as workload:
            amps = [Amps(self.uri, 'jobs', workload, MAX_CONCURRENCY=20, DEBUG=False,
                         WORKER_ID=f'w{number}') for number in range(2)]
            try:
                seen = collections.Counter()
                while queue.count() > 0 or len({post.id for post in workload.posts}) < count:
                    time.sleep(rng.random())
                    victim = rng.randrange(2)
                    amps[victim].stop(signal.SIGKILL)
                    amps[victim].__exit__()
                    amps[victim] = Amps(self.uri, 'jobs', workload, MAX_CONCURRENCY=20,
                                        DEBUG=False, WORKER_ID=f'w{victim}')
                    self.assertLess(len(workload.posts), 2 * count)
                seen.update(post.headers['Amps-Worker'] for post in workload.posts)
                self.assertEqual(set(seen), {'w0', 'w1'})
                database = sqlite3.connect(self.path)
                wait_until(lambda: database.execute('SELECT count(*) FROM jobs').fetchone()[0]
                           == 0, 20, 'an empty file')
                database.close()
            finally:
                for one in amps:
                    one.__exit__()

    def test_suspended_process_settles_nothing_of_another(self):
        queue = self.queue()
        queue.publish(event('a'))
        with Workload(lambda _: 202) as slow, Workload(lambda _: 202) as other, \
                Amps(self.uri, 'jobs', slow) as first:
            slow.wait(1)
            first.process.send_signal(signal.SIGSTOP)
            with Amps(self.uri, 'jobs', other) as second:
                other.wait(1, timeout=10)
                first.process.send_signal(signal.SIGCONT)
                slow.posts[0].acknowledge()
                time.sleep(1)
                self.assertEqual(second.get('/jobs').json['count'], 1)
                database = sqlite3.connect(self.path)
                self.assertEqual(database.execute('SELECT count(*) FROM jobs').fetchone()[0], 1)
                self.assertEqual(other.posts[0].acknowledge(), 202)
                wait_until(lambda: database.execute('SELECT count(*) FROM jobs').fetchone()[0]
                           == 0, what='the job being gone')
                database.close()

    def assert_refused(self, text, uri=None):
        """AMPS says what is wrong, does not spin, and takes nothing."""
        with Amps(uri or self.uri, 'jobs').wait_listening() as amps:
            wait_until(lambda: text in amps.get('/readyz').body + amps.log, 5,
                       f'“{text}” in {amps.get("/readyz").body}')
            answer = amps.post('/publish', event('x'))
            self.assertEqual(answer.status, 503)
            self.assertEqual(amps.get('/healthz').status, 200)
            before = os.times().children_user
            time.sleep(1)
            self.assertLess(os.times().children_user - before, 0.1)
            self.assertEqual(amps.stop(), 0)

    def test_folder_that_is_missing(self):
        self.assert_refused('unable to open', f'sqlite://{self.folder}/no/queue.db')

    def test_relative_path(self):
        self.assert_refused('absolute path', 'sqlite:queue.db')

    def test_file_of_another_program(self):
        database = sqlite3.connect(self.path)
        database.execute('CREATE TABLE theirs (x)')
        database.close()
        self.assert_refused('another program')

    def test_file_of_a_newer_amps(self):
        self.queue().close()
        database = sqlite3.connect(self.path)
        database.execute('PRAGMA user_version = 99')
        database.close()
        self.assert_refused('newer AMPS')

    def test_file_that_is_corrupt(self):
        with open(self.path, 'wb') as file:
            file.write(b'this is not a database, and never was' * 100)
        self.assert_refused('not a database')

    def mount(self, *options):
        """A small file system of its own, if one may be made."""
        place = os.path.join(self.folder, 'mount')
        os.mkdir(place)
        if subprocess.run(['mount', '-t', 'tmpfs', *options, 'tmpfs', place], check=False,
                          capture_output=True).returncode != 0:
            self.skipTest('nothing may be mounted here')
        self.addCleanup(subprocess.run, ['umount', '--lazy', place], check=True)
        return place

    def test_read_only_mount(self):
        place = self.mount('-o', 'ro')
        self.assert_refused('unable to open', f'sqlite://{place}/queue.db')

    def test_disk_full_and_room_again(self):
        place = self.mount('-o', 'size=1M')
        with Workload() as workload, \
                Amps(f'sqlite://{place}/queue.db', 'jobs', workload).wait_ready() as amps:
            amps.post('/pause')
            statuses = collections.Counter()
            while statuses[503] == 0 and statuses[202] < 200:
                answer = amps.post('/publish', event(statuses[202], type='jobs', data='x' * 20000))
                statuses[answer.status] += 1
            self.assertEqual(statuses[503], 1)
            self.assertIn('full', answer.json['detail'])
            subprocess.run(['mount', '-o', 'remount,size=8M', place], check=True)
            amps.post('/resume')
            wait_until(lambda: len({post.id for post in workload.posts}) == statuses[202], 30,
                       'all that was confirmed')
            self.assertEqual(amps.post('/publish', event('more', type='jobs')).status, 202)


if __name__ == '__main__':
    unittest.main()
