# SPDX-License-Identifier: MIT
"""The job API at a unix socket, with real clients."""

import http.client
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

from amps import Amps, Answer, wait_until
from broker import EmbeddedNode, EmbeddedQueue, event
from rabbitmq_node import free_port
from workload import Workload

NOBODY = 65534
# In JSON a critical message would be a fault of AMPS.
MAY_FAIL = {'LOG_FORMAT': 'text'}
CONNECT = 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])'


class Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path):
        super().__init__('amps.example', timeout=30)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


class SocketAmps(Amps):
    """An AMPS that is called by its socket."""

    def __init__(self, path, *arguments, **settings):
        super().__init__(*arguments, **{'API_SOCKET': path, **settings})
        self.path = path

    def call(self, method, path, body=None, headers=None, port=None):
        if port is not None:
            return super().call(method, path, body, headers, port)
        connection = Connection(self.path)
        try:
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
            connection.request(method, path, body, {**self._authorization, **(headers or {})})
            return Answer(connection.getresponse())
        finally:
            connection.close()


class ApiSocket(unittest.TestCase):
    """An AMPS that serves no port but that of the metrics."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # So that the socket's own permissions decide.
        self.folder.chmod(0o755)
        self.path = self.folder / 'api.sock'
        self.node = EmbeddedNode(folder.name, lease='2s')
        self.node.start()

    def amps(self, workload=None, **settings):
        """An AMPS, until the test ends."""
        amps = SocketAmps(self.path, self.node.uri, 'jobs', workload, **{
            'PORT': 0, 'DRAIN_TIMEOUT': '0s', **settings})
        self.addCleanup(amps.__exit__)
        return amps

    def queue(self, name):
        """A queue of the file."""
        queue = EmbeddedQueue(self.node, name, None, None)
        self.addCleanup(queue.close)
        return queue

    def workload(self):
        """A workload that accepts all."""
        workload = Workload(lambda _: 202)
        self.addCleanup(workload.stop)
        return workload

    def assert_refused(self, text, **settings):
        """It ends, as for a port in use, and says why."""
        amps = self.amps(**settings, **MAY_FAIL)
        self.assertEqual(amps.process.wait(20), 1)
        line = next(line for line in amps.log.splitlines() if 'Could not start' in line)
        self.assertIn(f'API_SOCKET: cannot listen at {settings.get("API_SOCKET", self.path)}: ',
                      line)
        self.assertIn(text, line)

    def curl(self, *arguments):
        """What curl prints."""
        return subprocess.run(['curl', '--silent', '--max-time', '20', '--unix-socket', self.path,
                               *arguments], check=True, stdout=subprocess.PIPE).stdout.decode()

    def test_a_jobs_life(self):
        """All calls, by the address that the workload is told."""
        queue, dead, workload = self.queue('jobs'), self.queue('jobs.dead'), self.workload()
        amps = self.amps(workload).wait_ready()
        for name in ('a', 'b', 'c', 'd'):
            queue.publish(event(name))
        workload.wait(4)
        self.assertEqual(workload.posts[0].headers['Amps-Api'], f'unix:{self.path}')
        jobs = {job['id']: job for job in amps.get('/jobs').json['jobs']}
        self.assertEqual(sorted(jobs), ['a', 'b', 'c', 'd'])
        runs = {post.id: post.headers['Amps-Job-Id'] for post in workload.posts}
        self.assertEqual(amps.get('/jobs/a').json['id'], 'a')
        self.assertEqual(amps.post('/heartbeat', {'identifier': runs['a']}).status, 200)
        self.assertEqual(amps.post('/acknowledge', {'identifier': runs['a']}).status, 202)
        self.assertEqual(
            amps.post('/reject', {'identifier': runs['b'], 'reason': 'no'}).status, 202)
        self.assertEqual(dead.take()[0].headers['x-amps-reason'], 'rejected')
        self.assertEqual(amps.post('/acknowledge', {
            'identifier': runs['c'], 'publish': json.loads(event('e', type='jobs'))}).status, 202)
        workload.wait(5)
        self.assertEqual(amps.post('/publish', event('f', type='jobs')).status, 202)
        workload.wait(6)
        self.assertEqual(amps.post('/pause').status, 200)
        self.assertEqual(amps.post('/resume').status, 200)
        self.assertEqual(amps.get('/drain').status, 202)
        for path in ('/healthz', '/health', '/health/detailed'):
            self.assertEqual(amps.get(path).status, 200, path)
        self.assertEqual(amps.get('/health/detailed').json['config']['api_socket'],
                         str(self.path))
        self.assertGreater(
            amps.metric('amps_api_requests_total{call="acknowledge",code="202"}'), 1)
        self.assertEqual(amps.stop(), 0)
        self.assertFalse(self.path.exists())

    def test_curl(self):
        queue, workload = self.queue('jobs'), self.workload()
        self.amps(workload).wait_ready()
        queue.publish(event('a'))
        workload.wait(1)
        self.assertEqual(json.loads(self.curl('http://amps/jobs'))['count'], 1)
        self.assertEqual(self.curl('--write-out', '%{http_code}', '--data',
                                   '{"identifier":"a"}', 'http://amps/acknowledge'), '202')
        self.assertEqual(json.loads(self.curl('--http1.0', '--header', 'Host:',
                                              'http://amps/jobs'))['count'], 0)

    def test_no_port_is_open(self):
        amps = self.amps(METRICS_ENABLED='false').wait_listening()
        # Not readlink(): some are closed meanwhile.
        inodes = {link.resolve().name for link in
                  pathlib.Path(f'/proc/{amps.process.pid}/fd').iterdir()}
        listening = [line.split()[9] for file in ('tcp', 'tcp6') for line in
                     pathlib.Path(f'/proc/net/{file}').read_text(encoding='ascii').splitlines()[1:]
                     if line.split()[3] == '0A']
        self.assertFalse([inode for inode in listening if f'socket:[{inode}]' in inodes])

    def test_beside_the_port(self):
        """The workload is told the port then, unless API_URL says otherwise."""
        queue, workload = self.queue('jobs'), self.workload()
        port = free_port()
        amps = self.amps(workload, PORT=port).wait_ready()
        queue.publish(event('a'))
        workload.wait(1)
        self.assertEqual(workload.posts[0].headers['Amps-Api'], f'http://127.0.0.1:{port}')
        self.assertEqual(amps.call('GET', '/jobs', port=port).json, amps.get('/jobs').json)
        self.assertEqual(amps.stop(), 0)

        amps = self.amps(workload, PORT=port, API_URL='unix:/sockets/api.sock').wait_ready()
        queue.publish(event('b'))
        wait_until(lambda: workload.posts[-1].id == 'b', what='another job')
        self.assertEqual(workload.posts[-1].headers['Amps-Api'], 'unix:/sockets/api.sock')
        # Its API_URL has no host that a name could be compared with.
        self.assertEqual(amps.call('GET', '/jobs', headers={'Host': 'x.example'},
                                   port=port).status, 403)

    def test_any_name_and_any_origin(self):
        amps = self.amps().wait_listening()
        for headers in ({}, {'Host': 'rebound.example:1'}, {'Host': 'localhost'},
                        {'Origin': 'http://stranger.example'}, {'Sec-Fetch-Site': 'cross-site'}):
            with self.subTest(**headers):
                self.assertEqual(amps.call('GET', '/jobs', headers=headers).status, 200)

    def test_token(self):
        amps = self.amps(API_TOKEN='open-sesame').wait_listening()
        self.assertEqual(amps.get('/jobs').status, 200)
        for token in ('', 'Bearer open', 'Bearer open-sesam'):
            answer = amps.call('GET', '/jobs', headers={'Authorization': token})
            self.assertEqual(answer.status, 401, token)
        self.assertEqual(amps.call('GET', '/healthz', headers={'Authorization': ''}).status, 200)

    def connects(self, uid, *groups):
        """Whether the kernel lets this user connect."""
        command = ['setpriv', f'--reuid={uid}', f'--regid={uid}', '--clear-groups']
        if groups:
            command[-1] = f'--groups={",".join(map(str, groups))}'
        result = subprocess.run([*command, sys.executable, '-c', CONNECT, self.path], check=False,
                                stderr=subprocess.PIPE)
        self.assertTrue(result.returncode == 0 or b'PermissionError' in result.stderr, result)
        return result.returncode == 0

    @unittest.skipUnless(os.getuid() == 0, 'only root can be somebody else')
    def test_permissions(self):
        for mode, by_group, by_others in (('0600', False, False), ('0660', True, False),
                                          ('0666', True, True), ('0606', False, True)):
            with self.subTest(mode):
                amps = self.amps(API_SOCKET_MODE=mode).wait_listening()
                self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), int(mode, 8))
                self.assertEqual(self.connects(NOBODY, 0), by_group)
                self.assertEqual(self.connects(NOBODY), by_others)
                self.assertEqual(amps.stop(), 0)

    def test_default_mode_and_umask(self):
        for umask in (0, 0o77, 0o777):
            with self.subTest(umask):
                amps = self.amps(command=('sh', '-c', f'umask {umask:o}; exec "$0"'))
                amps.wait_listening()
                self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o660)
                self.assertEqual(amps.stop(), 0)

    def test_killed(self):
        """What it leaves behind is replaced; a running job is not lost."""
        queue, workload = self.queue('jobs'), self.workload()
        amps = self.amps(workload).wait_ready()
        queue.publish(event('a'))
        workload.wait(1)
        for count in range(2, 5):
            amps.stop(signal.SIGKILL)
            self.assertTrue(self.path.is_socket())
            amps = self.amps(workload).wait_ready()
            workload.wait(count)
        self.assertEqual(amps.post('/acknowledge', {'identifier': 'a'}).status, 202)
        self.assertEqual(amps.stop(), 0)
        self.assertFalse(self.path.exists())

    def test_served_by_another(self):
        first = self.amps().wait_listening()
        inode = self.path.stat().st_ino
        self.assert_refused('another process listens there')
        self.assertEqual(self.path.stat().st_ino, inode)
        # One that can't answer is alive, too.
        first.process.send_signal(signal.SIGSTOP)
        self.assert_refused('another process listens there')
        first.process.send_signal(signal.SIGCONT)
        self.assertEqual(first.get('/healthz').status, 200)
        self.assertEqual(first.stop(), 0)
        self.assertFalse(self.path.exists())

    def test_one_of_many(self):
        """All start at once where one was killed: one serves, and can be called."""
        self.amps().wait_listening().stop(signal.SIGKILL)
        all_of_them = [self.amps(**MAY_FAIL) for _ in range(6)]
        wait_until(lambda: sum(amps.process.poll() == 1 for amps in all_of_them) == 5,
                   what='the end of all but one')
        winner = next(amps for amps in all_of_them if amps.process.poll() is None)
        winner.wait_listening()
        self.assertEqual(winner.stop(), 0)
        self.assertFalse(self.path.exists())

    def test_no_socket(self):
        text = 'there is a file that is not a socket, and AMPS does not remove it'
        self.path.write_text('mine', encoding='ascii')
        self.assert_refused(text)
        self.assertEqual(self.path.read_text(encoding='ascii'), 'mine')
        self.path.unlink()
        self.path.symlink_to(self.folder / 'other')
        self.assert_refused(text)
        self.assertTrue(self.path.is_symlink())

    def test_replaced_by_another(self):
        """What is not its own it does not remove."""
        amps = self.amps().wait_listening()
        self.path.unlink()
        self.path.write_text('mine', encoding='ascii')
        self.assertEqual(amps.stop(), 0)
        self.assertEqual(self.path.read_text(encoding='ascii'), 'mine')

    def test_removed_when_the_start_fails(self):
        with socket.create_server(('', free_port())) as server:
            amps = self.amps(METRICS_PORT=server.getsockname()[1], **MAY_FAIL)
            self.assertEqual(amps.process.wait(20), 1)
        self.assertIn('METRICS_PORT: ', amps.log)
        self.assertFalse(self.path.exists())

    def test_missing_folder(self):
        self.assert_refused('cannot open the folder', API_SOCKET=self.folder / 'no' / 'api.sock')

    @unittest.skipUnless(os.getuid() == 0, 'only root can be somebody else')
    def test_no_permission(self):
        self.assert_refused('Permission denied', METRICS_ENABLED='false', command=(
            'setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups'))
        self.assertFalse(self.path.exists())

    def test_bad_settings(self):
        for name, settings in (('API_SOCKET', {'API_SOCKET': '/' + 107 * 's'}),
                               ('API_SOCKET', {'API_SOCKET': '@amps'}),
                               ('API_SOCKET_MODE', {'API_SOCKET_MODE': '432'})):
            amps = self.amps(**settings)
            self.assertEqual(amps.process.wait(20), 78)
            self.assertIn(f'amps: {name}=', amps.log)
        with Amps(self.node.uri, 'jobs', PORT=0) as amps:
            self.assertEqual(amps.process.wait(20), 78)
            self.assertIn('needs API_SOCKET', amps.log)


if __name__ == '__main__':
    unittest.main()
