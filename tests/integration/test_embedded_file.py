# SPDX-License-Identifier: MIT
"""The embedded broker's file: who may read it, and what it does when it is no good."""

import collections
import contextlib
import errno
import os
import pathlib
import resource
import sqlite3
import subprocess
import time
import unittest

from amps import Amps, wait_until
from broker import event
from embedded import EmbeddedTest
from workload import Workload, acknowledge


class EmbeddedFile(EmbeddedTest):
    """See docs/embedded-broker.md."""

    def test_folder_that_is_missing(self):
        self.assert_refused('unable to open', f'sqlite://{self.folder}/no/queue.db')

    def test_relative_path(self):
        with Amps('sqlite:queue.db', 'jobs') as amps:
            self.assertEqual(amps.process.wait(20), 78)
            self.assertIn('absolute path', amps.log)

    def test_publication_that_the_file_refuses(self):
        self.queue()
        database = sqlite3.connect(self.path, timeout=10)
        with database:
            database.execute("CREATE TRIGGER short BEFORE INSERT ON jobs WHEN NEW.queue = 'full'"
                             " BEGIN SELECT RAISE (ABORT, 'no more than this'); END")
        database.close()
        with Amps(self.uri, 'jobs').wait_listening() as amps:
            wait_until(lambda: amps.get('/health').json['connected'], what='an open file')
            answer = amps.post('/publish', event('x', type='full'))
            self.assertGreaterEqual(answer.status, 400)
            self.assertIn('no more than this', answer.json['detail'])
            self.assertEqual(amps.post('/publish', event('y', type='other')).status, 202)
            self.assertTrue(amps.get('/health').json['connected'])
            self.assertNotIn('disconnected', amps.log)

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

    def test_file_that_is_corrupted_in_use(self):
        queue = self.queue()
        queue.fill(event(number, data='x' * 2000) for number in range(200))
        with Workload(lambda _: 202) as workload, \
                Amps(self.uri, 'jobs', workload, MAX_CONCURRENCY=5) as amps:
            workload.wait(5)
            # All of it into the file proper, whose pages are then none any more.
            database = sqlite3.connect(self.path, timeout=10)
            database.execute('PRAGMA wal_checkpoint(TRUNCATE)')
            with open(self.path, 'r+b') as file:
                file.seek(4096)
                file.write(b'rotten' * ((os.path.getsize(self.path) - 4096) // 6))
            database.close()
            for post in list(workload.posts):
                post.acknowledge()
            wait_until(lambda: 'malformed' in amps.get('/readyz').body, 10, 'the reason')
            self.assertEqual(amps.post('/publish', event('x', type='jobs')).status, 503)
            self.assert_idle(amps)
            self.assertEqual(amps.stop(), 0)

    def test_file_that_is_removed_and_put_back_in_use(self):
        queue = self.queue()
        queue.publish(event('a'))
        away = os.path.join(self.folder, 'away')
        with Workload(lambda _: 202) as workload, \
                Amps(self.uri, 'jobs', workload).wait_ready() as amps:
            workload.wait(1)
            os.mkdir(away)
            for name in os.listdir(self.folder):
                if name.startswith('queue.db'):
                    os.rename(os.path.join(self.folder, name), os.path.join(away, name))
            os.mkdir(self.path)  # So that no other is made in its place.
            wait_until(lambda: 'unable to open' in amps.get('/readyz').body, 10, 'the reason')
            self.assertIn('moved or removed', amps.log)
            self.assertEqual(workload.posts[0].acknowledge(), 202)
            self.assert_idle(amps)
            os.rmdir(self.path)
            for name in os.listdir(away):
                os.rename(os.path.join(away, name), os.path.join(self.folder, name))
            amps.wait_ready()
            wait_until(lambda: self.rows() == 0, 10, 'the job being gone')
            self.assertEqual(len(workload.posts), 1)

    def test_file_that_another_program_locks(self):
        with Workload(lambda _: 202) as workload, \
                Amps(self.uri, 'jobs', workload).wait_ready() as amps:
            self.assertEqual(amps.post('/publish', event('a', type='jobs')).status, 202)
            workload.wait(1)
            database = sqlite3.connect(self.path, isolation_level=None)
            database.execute('BEGIN IMMEDIATE')
            self.assertEqual(workload.posts[0].acknowledge(), 202)
            answer = amps.post('/publish', event('b', type='jobs'))
            self.assertEqual(answer.status, 503)
            self.assertIn('locked', answer.json['detail'])
            # Longer than the lease, too.
            self.assert_idle(amps)
            database.execute('ROLLBACK')
            database.close()
            wait_until(lambda: self.rows() == 0, 10, 'the job being gone')
            amps.wait_ready()
            self.assertEqual(len(workload.posts), 1)

    def test_file_that_may_not_be_written(self):
        self.queue().close()
        os.chmod(self.folder, 0o755)
        os.chmod(self.path, 0o644)
        command = ('setpriv', '--reuid=65534', '--clear-groups') if os.getuid() == 0 else ()
        if os.getuid() != 0:
            os.chmod(self.path, 0o444)
        self.assert_refused('may not be written', command=command)

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
        place = self.mount()
        uri = f'sqlite://{place}/queue.db'
        with Amps(uri, 'jobs').wait_listening() as amps:
            wait_until(lambda: amps.post('/publish', event('a', type='jobs')).status == 202)
            amps.stop()
        subprocess.run(['mount', '-o', 'remount,ro', place], check=True)
        self.assert_refused('unable to open', f'sqlite://{place}/none.db')
        self.assert_refused('read-only file system', uri)
        subprocess.run(['mount', '-o', 'remount,rw', place], check=True)
        with Workload() as workload, Amps(uri, 'jobs', workload):
            self.assertEqual(workload.wait(1)[0].id, 'a')

    def test_file_is_for_its_owner_alone(self):
        for mask in ('0', '022'):
            path = os.path.join(self.folder, f'{mask}.db')
            with Amps(f'sqlite://{path}', 'jobs', command=(
                    'sh', '-c', f'umask {mask}; exec "$@"', 'sh')).wait_listening() as amps:
                wait_until(lambda amps=amps: amps.get('/health').json['connected'], what='a file')
                for suffix in ('', '-wal', '-shm'):
                    self.assertEqual(os.stat(path + suffix).st_mode & 0o777, 0o600)
                self.assertNotIn('by everybody', amps.log)
                amps.stop()
        os.chmod(path, 0o644)
        with Amps(f'sqlite://{path}', 'jobs').wait_listening() as amps:
            amps.wait_log('may be read by everybody on this machine')
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o644)

    def assert_survives(self, uri, break_it, mend, detail, **settings):
        """While the disk fails jobs run, and nothing is lost nor run twice."""
        with Workload(lambda post: 202) as workload, \
                Amps(uri, 'jobs', workload, **settings).wait_ready() as amps:
            for name in ('done', 'running', 'retried'):
                self.assertEqual(amps.post('/publish', event(name, type='jobs')).status, 202)
            posts = {post.id: post for post in workload.wait(3)}
            break_it(amps)
            large = event('lost', type='jobs', data='x' * 300000)
            answer = amps.post('/publish', large)
            self.assertEqual(answer.status, 503)
            self.assertIn(detail, answer.json['detail'])
            self.assertIn('Retry-After', answer.headers)
            self.assertEqual(posts['done'].acknowledge(), 202)
            posts['retried'].tell('/reject', reschedule=True, delay='1s')
            self.assert_idle(amps)
            self.assertEqual(amps.get('/healthz').status, 200)
            self.assertEqual(amps.post('/publish', large).status, 503)
            mend(amps)
            self.assertEqual(posts['running'].acknowledge(), 202)
            wait_until(lambda: amps.post('/publish', event('new', type='jobs')).status == 202, 30,
                       'being mended')
            wait_until(lambda: {'retried', 'new'} <= {post.id for post in workload.posts[3:]},
                       what='what was to come')
            ids = [post.id for post in workload.posts]
            self.assertEqual({name: ids.count(name) for name in posts},
                             {'done': 1, 'running': 1, 'retried': 2})
            for post in workload.posts[3:]:
                post.acknowledge()
            wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end of all')
            self.assertEqual(amps.stop(), 0)
            # It has been settled, and is not just forgotten.
            with Amps(uri, 'jobs', workload).wait_ready() as again:
                time.sleep(2.5)
                self.assertNotIn('done', [post.id for post in workload.posts[3:]])
                again.stop()

    def test_disk_that_fails(self):
        if not os.environ.get('FAILING_DISK'):
            self.skipTest('a sanitizer must be loaded first')
        rule = pathlib.Path(self.folder, 'rule')
        for number, (call, code, detail) in enumerate([
                ('fdatasync', errno.EIO, 'disk I/O error'),
                ('pwrite64', errno.EIO, 'disk I/O error: Input/output error'),
                ('pwrite64', errno.EFBIG, 'disk I/O error: File too large'),
                ('pwrite64', errno.ENOSPC, 'full')]):
            with self.subTest(f'{call}: {os.strerror(code)}'):
                rule.write_text('')
                self.assert_survives(
                    f'sqlite://{self.folder}/{number}.db?lease=2s',
                    lambda _, text=f'{call} {code}': rule.write_text(text),
                    lambda _: rule.write_text(''), detail,
                    LD_PRELOAD=os.environ['FAILING_DISK'], FAILING_DISK_RULE=rule)

    def test_file_larger_than_it_may_be(self):
        """The kernel sends a signal that would end the process."""
        def limit(size):
            return lambda amps: resource.prlimit(amps.process.pid, resource.RLIMIT_FSIZE,
                                                 (size, resource.RLIM_INFINITY))

        self.assert_survives(self.uri, limit(200000), limit(resource.RLIM_INFINITY),
                             'File too large')

    def test_disk_full_while_jobs_run(self):
        place = self.mount('-o', 'size=700k')
        ballast = pathlib.Path(place, 'ballast')

        def fill(_):
            with ballast.open('wb', buffering=0) as file, contextlib.suppress(OSError):
                while file.write(bytes(4096)):
                    pass

        self.assert_survives(f'sqlite://{place}/queue.db?lease=2s', fill,
                             lambda _: ballast.unlink(), 'full')

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
            self.assert_idle(amps)
            subprocess.run(['mount', '-o', 'remount,size=8M', place], check=True)
            amps.post('/resume')
            wait_until(lambda: len({post.id for post in workload.posts}) == statuses[202], 30,
                       'all that was confirmed')
            self.assertEqual(amps.post('/publish', event('more', type='jobs')).status, 202)


if __name__ == '__main__':
    unittest.main()
