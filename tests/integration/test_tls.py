# SPDX-License-Identifier: MIT
"""TLS as it goes wrong, and gets better, between AMPS and both of its neighbours."""

import os
import pathlib
import shutil
import signal
import ssl
import tempfile
import threading
import time
import unittest
import urllib.parse
import warnings

from amps import Amps, wait_until
from broker import BrokerTest, Queue, event
from certificates import Authority
from rabbitmq_node import RabbitMQNode, free_port
from tls_front import TlsFront
from workload import Workload, acknowledge


def make_context(certificate, versions=None, authority=None):
    """For a server that lets in whoever comes, if only the client does not mind; with an
    authority, only who has a certificate of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers('ALL:@SECLEVEL=0')
    context.load_cert_chain(*certificate)
    if versions:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', DeprecationWarning)
            context.minimum_version, context.maximum_version = versions
    if authority:
        context.load_verify_locations(authority.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class TlsTest(BrokerTest):
    """A node behind TLS, and a workload that speaks it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls._folder.name
        cls.authority = Authority(cls.folder)
        cls.good = cls.authority.issue('good')

    def front(self, context):
        """TLS before the node."""
        front = TlsFront(self.node.port, context)
        self.addCleanup(front.__exit__)
        return front

    def workload(self, context, answer=acknowledge):
        """A workload with TLS, until the test ends."""
        workload = Workload(answer, context)
        self.addCleanup(workload.stop)
        return workload

    def amps(self, front, workload, queue, parameters='', **settings):
        """AMPS between them; each is called by a name that is in the certificates."""
        return Amps(f'amqps://guest:guest@localhost:{front.port}'
                    f'?cacertfile={self.authority.certificate}{parameters}', queue.name,
                    **{'WORKLOAD_ADDRESS': workload.address.replace('127.0.0.1', 'localhost'),
                       'WORKLOAD_CA_FILE': self.authority.certificate, **settings})


class CertificatesTest(TlsTest):
    """Certificates that are not to be trusted."""

    def check(self, context, why, other_why=None):
        """Both are refused, each says why, no job is blamed; and all is well when they are."""
        good = make_context(self.good)
        queue = self.queue()
        queue.publish(event(1))
        front, workload = self.front(context), self.workload(good)
        with self.amps(front, workload, queue, MAX_ATTEMPTS=1).wait_listening() as amps:
            text = f"can't connect to localhost:{front.port}: {why}"
            wait_until(lambda: text in amps.get('/readyz').json['details'],
                       what=f'“{text}” in {amps.get("/readyz").body}')
            self.assertIn(text, amps.log)
            self.assertEqual(queue.count(), 1)
            # The broker gets better, and now the workload is bad.
            workload.stop()
            workload.tls, front.context = context, good
            workload.start()
            text = (other_why or why.replace('the broker', 'the workload at localhost:{}')
                    ).format(workload.port)
            wait_until(lambda: amps.get('/readyz').json.get('details') == text,
                       what=f'“{text}” in {amps.get("/readyz").body}')
            time.sleep(1)
            self.assertEqual(workload.posts, [])
            self.assertLess(amps.log.count('is not available'), 5)
            workload.stop()
            workload.tls = good
            workload.start()
            self.assertEqual(workload.wait(1)[0].headers['Amps-Attempt'], '1')
            wait_until(amps.is_ready)
            wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0)
            self.assertEqual(amps.stop(), 0)
        self.assertEqual(queue.count(), 0)

    def issue(self, name, **how):
        """The context of a certificate of that kind."""
        return make_context(self.authority.issue_with(name, **how))

    def test_expired(self):
        """It was good two days ago."""
        self.check(self.issue('expired', first_day=-3, last_day=-1),
                   'the certificate of the broker has expired')

    def test_not_valid_yet(self):
        """It will be good tomorrow; or the clock is wrong."""
        self.check(self.issue('future', first_day=1, last_day=3),
                   "the certificate of the broker is not valid yet, by this machine's clock")

    def test_another_name(self):
        """It is somebody else's."""
        self.check(self.issue('name', addresses='DNS:elsewhere.test'),
                   'the certificate of the broker is for another name')

    def test_another_authority(self):
        """Anybody can make such a one."""
        self.check(make_context(Authority(self.folder, 'stranger').issue('strange')),
                   'the certificate of the broker is not signed by an authority that is trusted '
                   'here')

    def test_short_key(self):
        """RSA with 1024 bits."""
        self.check(self.issue('short', key=('rsa:1024',)),
                   'the certificate of the broker has a key or a signature that is too weak')

    def test_broken_digest(self):
        """SHA-1."""
        self.check(self.issue('sha1', digest='sha1'),
                   'the certificate of the broker has a key or a signature that is too weak')

    def test_old_version(self):
        """TLS 1.1 and older."""
        self.check(make_context(self.good, (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)),
                   'Peer sent fatal TLS alert: Error in protocol version',
                   'no TLS with the workload at localhost:{}: '
                   'Peer sent fatal TLS alert: Error in protocol version')

    def test_versions(self):
        """Either of the two that are in use is enough."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version.name):
                context = make_context(self.good, (version, version))
                queue = self.queue()
                queue.publish(event(1))
                front, workload = self.front(context), self.workload(context)
                with self.amps(front, workload, queue) as amps:
                    workload.wait(1)
                    wait_until(lambda amps=amps: amps.metric('amps_jobs_in_flight') == 0)
                    self.assertEqual(amps.stop(), 0)
                self.assertEqual(queue.count(), 0)


class RotationTest(TlsTest):
    """Certificates, keys and passwords that change while jobs run."""

    def setUp(self):
        self.queue_ = self.queue()
        self.stopped = threading.Event()
        self.published = 0

    def publish(self):
        """Publishes until it is stopped."""
        queue = Queue(self.node, self.queue_.name, 'quorum', {})
        while not self.stopped.wait(0.02):
            queue.publish(event(self.published))
            self.published += 1
        queue.close()

    def check(self, amps, workload, change):
        """Nothing is lost while that changes."""
        publisher = threading.Thread(target=self.publish)
        publisher.start()
        try:
            workload.wait(20)
            change()
            seen = len(workload.posts)
            workload.wait(seen + 30, 30)
        finally:
            self.stopped.set()
            publisher.join()
        wait_until(lambda: {int(post.id) for post in workload.posts} == set(range(self.published)),
                   30, 'all jobs')
        wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0)
        self.assertEqual(amps.metric('amps_job_outcomes_total{outcome="rejected"}'), 0)
        self.assertGreater(amps.metric('amps_broker_reconnects_total'), 0)
        self.assertEqual(amps.stop(), 0)
        self.assertEqual(self.queue_.count(), 0)

    def install(self, files, authority, pair):
        """Puts the files that AMPS reads in the place of others, each at once."""
        for path, source in zip(files, (authority.certificate, *pair)):
            shutil.copy(source, path + '.new')
            os.replace(path + '.new', path)

    def test_both_sides(self):
        """New authorities, and so new certificates and keys of all."""
        renewed = Authority(self.folder, 'renewed')
        files = [os.path.join(self.folder, name) for name in ('ca.pem', 'own.pem', 'own.key')]
        self.install(files, self.authority, self.authority.issue('client'))
        front = self.front(make_context(self.good, authority=self.authority))
        workload = self.workload(make_context(self.good, authority=self.authority))
        settings = dict(zip(('WORKLOAD_CA_FILE', 'WORKLOAD_CERT_FILE', 'WORKLOAD_KEY_FILE'), files))
        uri = (f'amqps://guest:guest@localhost:{front.port}?cacertfile={files[0]}'
               f'&certfile={files[1]}&keyfile={files[2]}')
        with Amps(uri, self.queue_.name,
                  WORKLOAD_ADDRESS=workload.address.replace('127.0.0.1', 'localhost'),
                  **settings).wait_ready() as amps:
            def change():
                self.install(files, renewed, renewed.issue('renewed-client'))
                amps.process.send_signal(signal.SIGHUP)
                context = make_context(renewed.issue('renewed-server'), authority=renewed)
                front.context = context
                front.cut()
                workload.stop()
                workload.tls = context
                workload.start()
            self.check(amps, workload, change)

    def test_password(self):
        """Of the broker; what is connected stays, and what connects needs the new one."""
        front = self.front(make_context(self.good))
        workload = self.workload(make_context(self.good))
        self.node.control('add_user', 'rotated', 'before')
        self.addCleanup(self.node.control, 'delete_user', 'rotated')
        self.node.control('set_permissions', 'rotated', '.*', '.*', '.*')
        path = pathlib.Path(self.folder, 'uri')

        def write(password):
            path.with_suffix('.new').write_text(
                f'amqps://rotated:{password}@localhost:{front.port}'
                f'?cacertfile={self.authority.certificate}', encoding='ascii')
            path.with_suffix('.new').rename(path)

        write('before')
        with Amps('', self.queue_.name, BROKER_HOST_FILE=path,
                  WORKLOAD_ADDRESS=workload.address.replace('127.0.0.1', 'localhost'),
                  WORKLOAD_CA_FILE=self.authority.certificate).wait_ready() as amps:
            def change():
                self.node.control('change_password', 'rotated', 'behind')
                write('behind')
                amps.process.send_signal(signal.SIGHUP)
                front.cut()
            self.check(amps, workload, change)
            self.assertNotIn('before', amps.log)
            self.assertNotIn('behind', amps.log)


class ExternalTest(unittest.TestCase):
    """RabbitMQ itself speaks TLS, and knows its users by their certificates."""

    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        cls.folder = cls._folder.name
        cls.authority = Authority(cls.folder)
        certificate, key = cls.authority.issue('server')
        cls.port = free_port()
        cls.node = RabbitMQNode(cls.folder, f'''listeners.ssl.1 = 127.0.0.1:{cls.port}
ssl_options.cacertfile = {cls.authority.certificate}
ssl_options.certfile = {certificate}
ssl_options.keyfile = {key}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
auth_mechanisms.1 = EXTERNAL
auth_mechanisms.2 = PLAIN
ssl_cert_login_from = common_name
''', plugins=('rabbitmq_auth_mechanism_ssl',))
        cls.node.start()
        cls.node.wait_until_ready()
        cls.node.control('add_user', 'worker', 'of no use')
        cls.node.control('set_permissions', 'worker', '.*', '.*', '.*')

    @classmethod
    def tearDownClass(cls):
        cls.node.stop()
        cls._folder.cleanup()

    def uri(self, pair, authority=None):
        """With a certificate instead of a password."""
        query = urllib.parse.urlencode({
            'auth_mechanism': 'external', 'certfile': pair[0], 'keyfile': pair[1],
            'cacertfile': (authority or self.authority).certificate}, safe='/')
        return f'amqps://localhost:{self.port}?{query}'

    def test_certificate_logs_in(self):
        """Jobs flow to and fro by the user of that name."""
        queue = Queue(self.node, 'jobs', 'quorum', {})
        self.addCleanup(queue.close)
        queue.publish(event(1))
        pair = self.authority.issue('worker')
        with Workload(acknowledge) as workload, \
                Amps(self.uri(pair), 'jobs', workload).wait_ready() as amps:
            self.assertEqual(amps.post('/publish', event(2, type='jobs'),
                                       Content_Type='application/cloudevents+json').status, 202)
            self.assertEqual(sorted(post.id for post in workload.wait(2)), ['1', '2'])
            self.assertIn('worker', self.node.control('list_connections', 'user', 'auth_mechanism'))
            wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0)
            self.assertEqual(amps.stop(), 0)

    def assert_refused(self, uri, text):
        """AMPS says why, and goes on trying."""
        with Amps(uri, 'any').wait_listening() as amps:
            wait_until(lambda: text in amps.get('/readyz').body, 15,
                       f'“{text}” in {amps.get("/readyz").body}')

    def test_certificate_of_nobody(self):
        """It is signed well, but there is no user of that name."""
        self.assert_refused(self.uri(self.authority.issue('nobody')), 'did not let the user')

    def test_certificate_of_a_stranger(self):
        """The broker does not trust who signed it."""
        stranger = Authority(self.folder, 'stranger')
        self.assert_refused(self.uri(stranger.issue('worker')), f'localhost:{self.port}: ')


if __name__ == '__main__':
    unittest.main()
