# SPDX-License-Identifier: MIT
"""The container image: what is in it, and that AMPS works in it as anywhere else."""

import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import unittest

import javascript
from amps import wait_until
from broker import Queue, event
from certificates import Authority
from image import SOURCE, Container, Image, enter_network, require
from rabbitmq_node import RabbitMQNode, free_port
from workload import Workload, acknowledge

# Bytes and files that the image may have; docs/container.md says what they are.
MAX_SIZE = 27_500_000
MAX_FILES = 120
MAX_START = 0.05

REVISION = '0123abc'
IMAGE = Image()


def setUpModule():  # pylint: disable=invalid-name
    """One image for all."""
    require()
    unittest.addModuleCleanup(IMAGE.close)
    enter_network()
    began = time.monotonic()
    IMAGE.make_base()
    IMAGE.build(REVISION=REVISION)
    print(f'built in {time.monotonic() - began:.0f} s: {IMAGE.digest()}', flush=True)
    IMAGE.mount()


def libraries():
    """The shared libraries, by their paths in the image."""
    return [path for path in IMAGE.files if re.search(r'\.so(\.|$)', path)]


def programs():
    """What can be started in the image."""
    return [path for path in IMAGE.files if path.startswith('/usr/bin/')]


class Contents(unittest.TestCase):
    """The files, and how the image wants to be run."""

    def test_it_is_small(self):
        files = IMAGE.files
        for path, size in sorted(files.items(), key=lambda item: -item[1]):
            print(f'{size:9} {path}')
        print(f'{sum(files.values()):9} bytes in {len(files)} files', flush=True)
        self.assertLess(sum(files.values()), MAX_SIZE)
        self.assertLess(len(files), MAX_FILES)

    def test_there_is_nothing_else(self):
        allowed = re.compile(
            r'/lib(64)?$|/usr/bin/amps(ctl)?$|/usr/lib(64)?/[\w/.+-]+\.so(\.\d+)*$'
            r'|/usr/lib/[\w-]+/gio/modules/giomodule\.cache$'
            r'|/usr/share/doc/[\w.+-]+/copyright$|/usr/share/doc/amps/amps\.cdx\.json$'
            r'|/usr/share/locale/\w+/LC_MESSAGES/amps\.mo$|/var/lib/dpkg/status\.d/[\w.+-]+$'
            r'|/etc/(group|nsswitch\.conf|os-release|passwd|ssl/certs/ca-certificates\.crt)$')
        self.assertEqual([path for path in IMAGE.files if not allowed.match(path)], [])

    def test_nothing_in_it_can_be_changed(self):
        """By the user that AMPS is."""
        for path in IMAGE.root.rglob('*'):
            details = path.lstat()
            place = '/' + path.relative_to(IMAGE.root).as_posix()
            if path.is_symlink():
                continue
            self.assertEqual(details.st_mode & 0o6000, 0, place)
            if place == '/var/lib/amps':
                self.assertEqual((details.st_uid, details.st_mode & 0o777), (65532, 0o700))
            else:
                self.assertEqual((details.st_uid, details.st_mode & 0o022), (0, 0), place)

    def test_libraries_are_those_of_debian(self):
        """Bit for bit, and each is needed by another file of the image."""
        digests = set()
        for path in pathlib.Path('/var/lib/dpkg/info').glob('*.md5sums'):
            digests.update(line.split()[0] for line in
                           path.read_text(encoding='utf-8').splitlines())
        needed = {'libgiognutls.so'}
        for path in [*libraries(), *programs()]:
            file = IMAGE.root / path.lstrip('/')
            said = subprocess.run(['readelf', '--dynamic', '--program-headers', file], check=True,
                                  text=True, stdout=subprocess.PIPE).stdout
            needed.update(re.findall(r'(?:\(NEEDED\).*\[|interpreter: /.*/)(.*)\]', said))
            if path in libraries():
                self.assertIn(hashlib.md5(file.read_bytes()).hexdigest(), digests, path)
        self.assertEqual({os.path.basename(path) for path in libraries()}, needed)

    def test_configuration(self):
        configuration = IMAGE.configuration
        self.assertEqual(configuration['User'], '65532:65532')
        self.assertEqual(configuration['Entrypoint'], ['/usr/bin/amps'])
        self.assertEqual(set(configuration['ExposedPorts']), {'4000/tcp', '9090/tcp'})
        self.assertEqual(set(configuration['Volumes']), {'/var/lib/amps'})
        labels = {name.removeprefix('org.opencontainers.image.'): value
                  for name, value in configuration['Labels'].items()}
        said = subprocess.run([IMAGE.root / 'usr/bin/amps', '--version'], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        self.assertEqual(labels['version'], said.split()[1])
        self.assertEqual(labels['revision'], REVISION)
        self.assertEqual(labels['licenses'], 'MIT')
        self.assertIn('github.com', labels['source'])

    def test_list_of_contents(self):
        """It is valid, and each file of Debian's is in it with its digest."""
        text = (IMAGE.root / 'usr/share/doc/amps/amps.cdx.json').read_text(encoding='utf-8')
        bill = json.loads(text)
        listed = {file['name']: file['hashes'][0]['content']
                  for component in [*bill['components'], bill['metadata']['component']]
                  for file in component.get('components', ())}
        for path in [*libraries(), *programs()]:
            self.assertEqual(listed[path], hashlib.sha256(
                (IMAGE.root / path.lstrip('/')).read_bytes()).hexdigest())
        packages = {component['name'] for component in bill['components']}
        self.assertEqual(packages, {path.name for path in
                                    (IMAGE.root / 'var/lib/dpkg/status.d').iterdir()})
        self.assertEqual(bill['metadata']['timestamp'], '2023-11-14T22:13:20Z')
        javascript.require()
        self.assertEqual(javascript.run('validate.js', 'cyclonedx', stdin=text),
                         [{'validated': '@cyclonedx/cyclonedx-library'}])


@unittest.skipUnless(os.environ.get('AMPS_TEST_IMAGE_TWICE'), 'takes as long as all others')
class Again(unittest.TestCase):
    """Another build of the same."""

    def test_it_is_the_same(self):
        """Bit for bit."""
        IMAGE.build('again', REVISION=REVISION)
        self.assertEqual(IMAGE.digest('again'), IMAGE.digest())


class Development(unittest.TestCase):
    """The container to develop in, whose packages this machine has."""

    def test_it_builds(self):
        self.assertNotIn('Installing', IMAGE.build_development())


class Refusal(unittest.TestCase):
    """A library that is known to be unsafe."""

    def test_old_library(self):
        """The build says which one, and what it needs."""
        with tempfile.TemporaryDirectory(prefix='amps-test-') as name:
            folder = pathlib.Path(name)
            for script in ('image-root', 'image-sbom'):
                shutil.copy(SOURCE / 'flatpak-free-container' / script, folder)
            codename = subprocess.run(['sh', '-c', '. /etc/os-release; echo $VERSION_CODENAME'],
                                      check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
            (folder / 'minimum-versions').write_text(
                f'{codename} librabbitmq4 99.0 CVE-0000-0001\n', encoding='ascii')
            (folder / 'root/usr/bin').mkdir(parents=True)
            shutil.copy(os.environ['AMPS'], folder / 'root/usr/bin/amps')
            ended = subprocess.run([folder / 'image-root', folder / 'root'], check=False, text=True,
                                   stderr=subprocess.PIPE)
            self.assertEqual(ended.returncode, 1)
            self.assertRegex(ended.stderr, 'librabbitmq4 .* is unsafe .CVE-0000-0001.: .* 99.0')


class Running(unittest.TestCase):
    """AMPS in a container, with a real RabbitMQ that speaks TLS beside it."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.authority = Authority(cls.folder)
        cls.certificate, key = cls.authority.issue('server')
        cls.pair = cls.certificate, key
        cls.tls_port = free_port()
        cls.node = RabbitMQNode(cls.folder, f'''listeners.ssl.1 = 127.0.0.1:{cls.tls_port}
ssl_options.cacertfile = {cls.authority.certificate}
ssl_options.certfile = {cls.certificate}
ssl_options.keyfile = {key}
''')
        cls.addClassCleanup(cls.node.stop)
        cls.node.start()
        cls.node.wait_until_ready()
        cls.secrets = pathlib.Path(cls.folder, 'secrets')
        cls.secrets.mkdir()
        shutil.copy(cls.authority.certificate, cls.secrets / 'authority.pem')
        (cls.secrets / 'broker').write_text(
            f'amqps://guest:guest@localhost:{cls.tls_port}?cacertfile=/secrets/authority.pem',
            encoding='ascii')

    def queue(self, name):
        """A new one."""
        queue = Queue(self.node, name, 'quorum', {})
        self.addCleanup(queue.close)
        return queue

    def test_jobs_by_tls(self):
        """From an amqps broker to an https workload and back, both of a private authority,
        with what is secret in files."""
        queue = self.queue('secure')
        queue.publish(event(1))
        context = self.authority.server_context(*self.pair)
        context.verify_mode = 0
        with Workload(acknowledge, context) as workload, \
                Container(IMAGE, '', 'secure', volumes={'/secrets': self.secrets},
                          BROKER_HOST_FILE='/secrets/broker',
                          WORKLOAD_CA_FILE='/secrets/authority.pem',
                          WORKLOAD_ADDRESS=workload.address.replace('127.0.0.1', 'localhost'),
                          ) as amps:
            amps.wait_ready()
            self.assertEqual(amps.post('/publish', event(2, type='secure'),
                                       Content_Type='application/cloudevents+json').status, 202)
            self.assertEqual(sorted(post.id for post in workload.wait(2)), ['1', '2'])
            wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0)
            self.assert_confined(amps)
            self.assertEqual(amps.stop(), 0)
        self.assertEqual(queue.count(), 0)

    def test_workload_of_a_stranger(self):
        """An authority that nobody has named is not trusted in the container, either."""
        stranger = Authority(self.folder, 'stranger')
        context = stranger.server_context(*stranger.issue('strange'))
        context.verify_mode = 0
        with Workload(acknowledge, context) as workload, \
                Container(IMAGE, self.node.uri, 'strange', QUEUE_DECLARE='auto',
                          WORKLOAD_ADDRESS=workload.address.replace('127.0.0.1', 'localhost'),
                          ) as amps:
            amps.wait_listening()
            wait_until(lambda: 'not signed by an authority that is trusted here'
                       in amps.get('/readyz').body, what='a refusal')
            self.assertEqual(amps.stop(), 0)

    def assert_confined(self, amps):
        """It is process 1 of its own, a user that is not root, with no way to more."""
        self.assertEqual(amps.status('NSpid')[-1], '1')
        self.assertEqual(amps.status('Uid'), ['65532'] * 4)
        self.assertEqual(amps.status('Gid'), ['65532'] * 4)
        self.assertEqual(amps.status('CapBnd'), ['0000000000000000'])
        self.assertEqual(amps.status('NoNewPrivs'), ['1'])
        self.assertEqual(amps.status('Seccomp'), ['2'])
        mounts = pathlib.Path(f'/proc/{amps.pid}/mounts').read_text(encoding='utf-8').splitlines()
        root = next(line.split()[3] for line in mounts if line.split()[1] == '/')
        self.assertIn('ro', root.split(','))

    def test_health(self):
        """As an engine asks: well without a broker, too, and not when nothing answers."""
        kind, *check = IMAGE.configuration['Healthcheck']['Test']
        self.assertEqual(kind, 'CMD')
        with Container(IMAGE, 'amqp://127.0.0.1:9', 'any') as amps:
            amps.wait_listening()
            self.assertEqual(amps.execute(*check), (0, 'healthy\n'))
            status, text = amps.execute('ampsctl', 'healthcheck', '--ready')
            self.assertEqual(status, 1, text)
            os.kill(amps.pid, signal.SIGSTOP)
            began = time.monotonic()
            status, text = amps.execute('ampsctl', 'healthcheck', '--timeout=1s')
            self.assertEqual(status, 1, text)
            self.assertLess(time.monotonic() - began, 10)
            os.kill(amps.pid, signal.SIGCONT)
            self.assertEqual(amps.stop(), 0)

    def test_drain_before_the_end(self):
        """What a preStop hook calls returns when the last job has ended."""
        queue = self.queue('drained')
        queue.publish(event(1))
        with Workload(lambda _: 202) as workload, \
                Container(IMAGE, self.node.uri, 'drained', workload) as amps:
            amps.wait_ready()
            post = workload.wait(1)[0]
            threading.Timer(1, post.acknowledge).start()
            status, text = amps.execute('ampsctl', 'drain', '--wait')
            self.assertEqual(status, 0, text)
            self.assertEqual(amps.metric('amps_jobs_in_flight'), 0)
            self.assertEqual(amps.stop(), 0)
        self.assertEqual(queue.count(), 0)

    def test_signals_of_process_1(self):
        """A job that runs may end; then AMPS does, too. A second signal waits for nothing."""
        queue = self.queue('signals')
        for how, again in ((signal.SIGTERM, False), (signal.SIGINT, False), (signal.SIGTERM, True)):
            queue.publish(event(f'{how} {again}'))
            with Workload(lambda _: 202) as workload, \
                    Container(IMAGE, self.node.uri, 'signals', workload) as amps:
                amps.wait_ready()
                post = workload.wait(1)[0]
                os.kill(amps.pid, signal.SIGHUP)
                os.kill(amps.pid, how)
                amps.wait_log('Draining')
                if again:
                    self.assertEqual(amps.stop(how), 0)
                else:
                    self.assertEqual(post.acknowledge(), 202)
                    self.assertEqual(amps.process.wait(20), 0)
            queue.wait_count(1 if again else 0)

    def test_settings_of_the_original(self):
        """The Deployment of its manual, with nothing but the image's name changed."""
        queue = self.queue('original')
        queue.fill([event(number) for number in range(30)])
        with Workload(lambda _: 200) as workload, \
                Container(IMAGE, None, None, exactly={
                    'BROKER_HOST': f'{self.node.uri}/', 'BROKER_SUBJECT': 'original',
                    'JOB_TIMEOUT': '1h', 'DEBUG': 'true', 'MAX_CONCURRENCY': '20',
                    'WORKLOAD_ADDRESS': f'http://localhost:{workload.port}'}) as amps:
            wait_until(self.is_alive, what='liveness on port 4000')
            workload.wait(20)
            time.sleep(0.5)
            self.assertEqual(len(workload.posts), 20)
            self.assertIn('"level":"debug"', amps.log)
            self.assertIn('JOB_TIMEOUT=1h', amps.log)
            for number in range(30):
                post = workload.wait(number + 1)[number]
                self.assertEqual(post.headers['Content-Type'], 'application/json')
                self.assertEqual(amps.post('/acknowledge', {'identifier': post.id},
                                           Content_Type='text/plain').status, 202)
            wait_until(lambda: amps.metric('amps_messages_deleted_total') == 30)
            self.assertEqual(amps.metric('amps_workloads_acknowledged_total'), 30)
            self.assertEqual(amps.stop(), 0)
        self.assertEqual(queue.count(), 0)

    @staticmethod
    def is_alive():
        """What the kubelet asks."""
        connection = http.client.HTTPConnection('127.0.0.1', 4000, timeout=1)
        try:
            connection.request('GET', '/healthz')
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


class Embedded(unittest.TestCase):
    """With the embedded broker, which is all that writes anything."""

    def test_volume_outlives_the_container(self):
        with tempfile.TemporaryDirectory(prefix='amps-test-') as folder:
            os.chown(folder, 65532, 65532)
            volumes = {'/var/lib/amps': folder}
            uri = 'sqlite:///var/lib/amps/queue.db'
            with Container(IMAGE, uri, 'jobs', volumes=volumes) as amps:
                amps.wait_listening()
                wait_until(lambda: amps.post(
                    '/publish', event(1, type='jobs'),
                    Content_Type='application/cloudevents+json').status == 202)
                os.kill(amps.pid, signal.SIGKILL)
                amps.process.wait(20)
            with Workload() as workload, \
                    Container(IMAGE, uri, 'jobs', workload, volumes=volumes) as amps:
                self.assertEqual(workload.wait(1)[0].id, '1')
                wait_until(lambda: amps.metric('amps_jobs_in_flight') == 0)
                self.assertEqual(amps.stop(), 0)

    def test_file_elsewhere(self):
        """There is no other place to write to, and AMPS says so."""
        with Container(IMAGE, 'sqlite:///queue.db', 'jobs') as amps:
            amps.wait_listening()
            wait_until(lambda: '/queue.db' in amps.get('/readyz').body)
            self.assertEqual(amps.get('/healthz').status, 200)
            self.assertEqual(amps.stop(), 0)


class Start(unittest.TestCase):
    """From its first instruction to its first answer, less the time that it waits for a
    processor that others use."""

    def test_start(self):
        usual = statistics.median(self.start() for _ in range(9))
        print(f'started in {1000 * usual:.0f} ms', flush=True)
        self.assertLess(usual, MAX_START)

    @staticmethod
    def enter():
        """Moves this process into the image, as its user."""
        os.chroot(IMAGE.root)
        os.chdir('/')
        os.setgroups([])
        os.setgid(65532)
        os.setuid(65532)

    @staticmethod
    def waited(process):
        """Seconds in which its main thread could have run."""
        text = pathlib.Path(f'/proc/{process}/schedstat').read_text(encoding='ascii')
        return int(text.split()[1]) / 1e9

    def start(self):
        """Seconds until AMPS answers, in the image's root and as its user."""
        port = free_port()
        variables = dict(name.split('=', 1) for name in IMAGE.configuration['Env'])
        began = time.monotonic()
        with subprocess.Popen(
                ['/usr/bin/amps'], preexec_fn=self.enter, stderr=subprocess.DEVNULL,
                env={**variables, 'BROKER_HOST': 'sqlite::memory:', 'BROKER_SUBJECT': 'jobs',
                     'PORT': str(port), 'METRICS_ENABLED': 'false'}) as process:
            try:
                while True:
                    self.assertIsNone(process.poll())
                    try:
                        with socket.create_connection(('127.0.0.1', port)) as connection:
                            connection.sendall(b'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
                            self.assertIn(b' 200 ', connection.recv(100))
                            return time.monotonic() - began - self.waited(process.pid)
                    except ConnectionRefusedError:
                        time.sleep(0.001)
            finally:
                process.kill()


if __name__ == '__main__':
    unittest.main()
