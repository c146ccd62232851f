# SPDX-License-Identifier: MIT
"""Workloads behind TLS, a socket of a file system, a password, or a readiness check."""

import base64
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from amps import BINARY, Amps, wait_until
from broker import BrokerTest, event
from certificates import Authority
from workload import Workload


class Address(BrokerTest):
    """WORKLOAD_ADDRESS and what goes with it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls._folder.name
        cls.authority = Authority(cls.folder)
        cls.server = cls.authority.issue('server')
        cls.client = cls.authority.issue('client')

    def workload(self, *arguments, **settings):
        """A workload in sync mode, until the test ends."""
        workload = Workload(*arguments, **settings)
        self.addCleanup(workload.stop)
        return workload

    def amps(self, queue, workload=None, **settings):
        """AMPS in sync mode, until the test ends."""
        amps = Amps(self.node.uri, queue.name, workload, WORKLOAD_MODE='sync', **settings)
        self.addCleanup(amps.__exit__)
        return amps

    def queue_with(self, *bodies):
        """A queue with these in it."""
        queue = self.queue()
        for body in bodies:
            queue.publish(body)
        return queue

    def assert_done(self, queue, amps):
        """The jobs have left AMPS, and the queue."""
        wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end of the jobs')
        self.assertEqual(amps.stop(), 0)
        self.assertEqual(queue.count(), 0)

    def secure_workload(self, answer=lambda _: 200):
        """One that wants to see a certificate."""
        return self.workload(answer, self.authority.server_context(*self.server))

    def certificates(self):
        """Settings that please it."""
        return {'WORKLOAD_CA_FILE': self.authority.certificate,
                'WORKLOAD_CERT_FILE': self.client[0], 'WORKLOAD_KEY_FILE': self.client[1]}

    def test_https_with_a_client_certificate(self):
        for settings in ({}, {'WORKLOAD_READY_PATH': '/ready'}):
            queue = self.queue_with(event('a'), event('b'))
            workload = self.secure_workload()
            amps = self.amps(queue, workload, **self.certificates(), **settings)
            workload.wait(2)
            self.assert_done(queue, amps)
            self.assertNotIn('WARNING', amps.log)

    def test_https_without_trust_loses_nothing_and_does_not_spin(self):
        stranger = Authority(self.folder, 'stranger')
        for settings in ({'WORKLOAD_CA_FILE': self.authority.certificate},
                         {**self.certificates(), 'WORKLOAD_CA_FILE': stranger.certificate}):
            queue = self.queue_with(event('a'))
            workload = self.secure_workload()
            amps = self.amps(queue, workload, MAX_ATTEMPTS=1, **settings)
            amps.wait_listening()
            wait_until(lambda: 'certificate' in amps.get('/readyz').body, what='a reason')
            time.sleep(3)
            self.assertLess(amps.log.count('is not available'), 12)
            self.assertEqual(workload.posts, [])
            self.assertEqual(amps.stop(), 0)
            queue.wait_count(1)

    def test_https_workload_that_dies_is_to_blame(self):
        dead = self.queue()
        queue = self.queue_with(event('a'))
        workload = self.secure_workload(lambda _: None)
        amps = self.amps(queue, workload, MAX_ATTEMPTS=2, DEAD_LETTER_QUEUE=dead.name,
                         RETRY_MAX_BACKOFF='1s', **self.certificates())
        headers = dead.take()[0].headers
        self.assertEqual(headers['x-amps-reason'], 'max-attempts')
        self.assertEqual(len(workload.posts), 2)
        self.assert_done(queue, amps)

    def test_certificates_are_renewed_in_place(self):
        renewed = Authority(self.folder, 'renewed')
        files = {name: os.path.join(self.folder, name) for name in ('ca', 'cert', 'key')}

        def install(authority, certificate, key):
            for name, source in (('ca', authority.certificate), ('cert', certificate), ('key', key)):
                subprocess.run(['cp', source, files[name]], check=True)

        install(self.authority, *self.client)
        queue = self.queue_with(event('a'))
        workload = self.secure_workload()
        amps = self.amps(queue, workload, WORKLOAD_CA_FILE=files['ca'],
                         WORKLOAD_CERT_FILE=files['cert'], WORKLOAD_KEY_FILE=files['key'])
        workload.wait(1)
        workload.stop()
        workload.tls = renewed.server_context(*renewed.issue('renewed-server'))
        workload.start()
        queue.publish(event('b'))
        amps.wait_log('The workload is not available')
        install(renewed, *renewed.issue('renewed-client'))
        amps.process.send_signal(signal.SIGHUP)
        workload.wait(2)
        self.assert_done(queue, amps)

    def test_bad_certificates_are_errors_at_start(self):
        nothing = os.path.join(self.folder, 'nothing.pem')
        garbage = os.path.join(self.folder, 'garbage.pem')
        with open(garbage, 'w', encoding='ascii') as file:
            file.write('no certificate\n')
        good = self.certificates()
        https = {'WORKLOAD_ADDRESS': 'https://localhost'}
        for settings, said in (
                ({**https, 'WORKLOAD_CA_FILE': nothing}, f'WORKLOAD_CA_FILE={nothing}: '),
                ({**https, 'WORKLOAD_CA_FILE': garbage}, f'WORKLOAD_CA_FILE={garbage}: '),
                ({**https, 'WORKLOAD_CERT_FILE': self.client[0]}, 'WORKLOAD_KEY_FILE need each'),
                ({**https, 'WORKLOAD_KEY_FILE': self.client[1]}, 'WORKLOAD_KEY_FILE need each'),
                ({**https, **good, 'WORKLOAD_CERT_FILE': garbage}, f'WORKLOAD_CERT_FILE={garbage}'),
                ({**https, **good, 'WORKLOAD_KEY_FILE': nothing}, 'WORKLOAD_CERT_FILE='),
                (good, 'needs a WORKLOAD_ADDRESS that begins with https:'),
                # As where the package is missing.
                ({**https, 'GIO_MODULE_DIR': self.folder}, 'install glib-networking')):
            checked = subprocess.run([BINARY, '--check-config'], text=True, capture_output=True,
                                     check=False, env={'BROKER_SUBJECT': 'jobs', **settings})
            self.assertEqual(checked.returncode, 78, settings)
            self.assertIn(said, checked.stderr)
        checked = subprocess.run([BINARY, '--check-config'], env={'BROKER_SUBJECT': 'j', **https, **good},
                                 check=False, capture_output=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_password(self):
        path = os.path.join(self.folder, 'address')

        def install(password):
            with open(path, 'w', encoding='ascii') as file:
                file.write(f'http://us%65r:{password}@127.0.0.1:{workload.port}\n')

        workload = self.workload(lambda _: 200)
        install('hunter%3a2')
        queue = self.queue_with(event('a'))
        amps = self.amps(queue, workload, WORKLOAD_ADDRESS='', WORKLOAD_ADDRESS_FILE=path)
        workload.wait(1)
        install('hunter3')
        amps.process.send_signal(signal.SIGHUP)
        amps.wait_log('Read the secrets again')
        queue.publish(event('b'))
        workload.wait(2)
        self.assertEqual([base64.b64decode(post.headers['Authorization'].removeprefix('Basic '))
                          for post in workload.posts], [b'user:hunter:2', b'user:hunter3'])
        self.assertNotIn('hunter', amps.log)
        self.assert_done(queue, amps)

    def test_ready_path(self):
        queue = self.queue_with(event('a'))
        workload = self.workload(lambda _: 200)
        workload.ready = 503
        amps = self.amps(queue, workload, WORKLOAD_READY_PATH='/ready')
        amps.wait_listening()
        wait_until(lambda: 'answered 503' in amps.get('/readyz').body, what='a reason')
        self.assertEqual((workload.posts, queue.count()), ([], 1))
        workload.ready = 204
        amps.wait_ready()
        workload.wait(1)
        workload.ready = 500
        wait_until(lambda: amps.get('/readyz').status == 503, what='a pause')
        queue.wait_unconsumed()
        queue.publish(event('b'))
        queue.wait_count(1)
        workload.ready = 200
        workload.wait(2)
        self.assert_done(queue, amps)

    def test_unix_socket(self):
        queue = self.queue_with(event('a'))
        seen = []

        def serve():
            while True:
                connection, _ = server.accept()
                with connection, connection.makefile('rb') as stream:
                    line = stream.readline()
                    if line:
                        seen.append(line)
                        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n'
                                           b'Connection: close\r\n\r\n')

        with socket.socket(socket.AF_UNIX) as server:
            path = os.path.join(self.folder, 'workload')
            server.bind(path)
            server.listen()
            threading.Thread(target=serve, daemon=True).start()
            amps = self.amps(queue, WORKLOAD_ADDRESS=f'unix:{path}', WORKLOAD_READY_PATH='/ready')
            wait_until(lambda: b'POST / HTTP/1.1\r\n' in seen, what='the job')
            self.assertIn(b'GET /ready HTTP/1.1\r\n', seen)
            self.assert_done(queue, amps)


if __name__ == '__main__':
    unittest.main()
