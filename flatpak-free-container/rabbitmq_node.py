# SPDX-License-Identifier: MIT
"""A private RabbitMQ node on loopback, with nothing kept after it."""

import errno
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import time

SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'
CONTROL = '/usr/lib/rabbitmq/bin/rabbitmqctl'


# Below those that Linux gives to clients: an outgoing connection could take one of these.
PORTS = range(10000, 32000)
_claims = []


def free_port(count=1):
    """The first of so many TCP ports of 127.0.0.1, for this process until it ends.

    Nobody listens on one. An abstract socket of its name tells the other processes
    that run tests."""
    while True:
        first = random.SystemRandom().choice(PORTS)
        claims = []
        try:
            for port in range(first, first + count):
                claims.append(socket.socket(socket.AF_UNIX))
                claims[-1].bind(f'\0amps-port-{port}')
                socket.create_server(('127.0.0.1', port)).close()
        except OSError as error:
            for claim in claims:
                claim.close()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            _claims.extend(claims)
            return first


def end_group(process, how=signal.SIGTERM, timeout=10):
    """Ends a process that leads a group of its own, and all that it started."""
    try:
        os.killpg(process.pid, how)
        process.wait(timeout)
    except ProcessLookupError:
        process.wait()
    except subprocess.TimeoutExpired:
        end_group(process, signal.SIGKILL)


class RabbitMQNode:
    """One node with its data, its ports and its port mapper for itself.

    It has these plugins. With a peer, which has been started before, it joins that one's
    cluster instead."""

    def __init__(self, folder, configuration='', peer=None, plugins=()):
        self._configuration = configuration
        self._plugins = plugins
        self._peer = peer
        self._mapper_port = peer._mapper_port if peer else str(free_port())
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.uri = f'amqp://guest:guest@127.0.0.1:{self.port}'
        # An address for a name: a minimal Debian cannot look up any name.
        self.name = f'amps-{self.port}@127.0.0.1'
        self.log = self.folder / 'rabbitmq.log'
        self._processes = []
        self._environment = {}

    def start(self):
        """Starts the node; see wait_until_ready()."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._peer:
            self._meet_peer()
        config = self.folder / 'rabbitmq.conf'
        config.write_text(f'listeners.tcp.1 = 127.0.0.1:{self.port}\n{self._configuration}')
        plugins = self.folder / 'enabled_plugins'
        plugins.write_text(f'[{",".join(self._plugins)}].\n')

        self._environment = environment = dict(
            os.environ,
            HOME=str(self.folder),
            ERL_EPMD_ADDRESS='127.0.0.1',
            ERL_EPMD_PORT=self._mapper_port,
            ERL_FLAGS='-start_epmd false',
            RABBITMQ_NODENAME=self.name,
            RABBITMQ_USE_LONGNAME='true',
            RABBITMQ_DIST_PORT=str(free_port()),
            RABBITMQ_CONFIG_FILE=str(config),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(plugins),
            RABBITMQ_MNESIA_BASE=str(self.folder / 'data'),
            RABBITMQ_LOG_BASE=str(self.folder / 'log'),
            RABBITMQ_PID_FILE=str(self.folder / 'pid'),
            # No scheduler waits busily: others need the processors.
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
                                                ' +sbwt none +sbwtdcpu none +sbwtdio none',
        )
        # The mapper is started here, since one that Erlang starts outlives it.
        if not self._peer:
            self._spawn(['epmd', '-port', self._mapper_port, '-address', '127.0.0.1'], environment)
        self._spawn([SERVER], environment)

    def _meet_peer(self):
        cookie = self.folder / '.erlang.cookie'
        if not cookie.exists():
            shutil.copy(self._peer.folder / '.erlang.cookie', cookie)
            self._configuration += f'cluster_formation.classic_config.nodes.1 = {self._peer.name}\n'

    def _spawn(self, command, environment):
        with self.log.open('ab') as log:
            self._processes.append(subprocess.Popen(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True))

    def control(self, *arguments):
        """Runs rabbitmqctl on the node, and returns what it printed."""
        return subprocess.run([CONTROL, *arguments], env=self._environment, check=True,
                              timeout=300, stdout=subprocess.PIPE, text=True,
                              stdin=subprocess.DEVNULL).stdout

    def wait_until_ready(self, timeout=120):
        """Returns once the node takes AMQP connections."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            for process in self._processes:
                if process.poll() is not None:
                    raise RuntimeError(f'RabbitMQ ended with status {process.returncode}')
            try:
                with socket.create_connection(('127.0.0.1', self.port), timeout=5) as connection:
                    connection.sendall(b'AMQP\0\0\x09\x01')
                    if connection.recv(1) != b'':
                        return
            except OSError:
                pass
            time.sleep(0.1)
        raise RuntimeError(f'RabbitMQ was not ready after {timeout} s')

    def let_queues_settle(self):
        """To be called before the node is killed, when queues were just made.

        RabbitMQ writes that there is a queue into a log which reaches the disk a little later,
        and 3.10 keeps the names of quorum queues in a table that does so up to 3 s later. Killed
        before, it has forgotten a queue, or starts one anew without a leader, and it never comes
        back."""
        self.control('eval', '[ok = dets:sync(Table) || Table <- dets:all()], '
                             'ok = mnesia:sync_log().')

    def suspend(self):
        """Lets the node stand still; nobody is told."""
        os.killpg(self._processes[-1].pid, signal.SIGSTOP)

    def resume(self):
        """Lets it go on."""
        os.killpg(self._processes[-1].pid, signal.SIGCONT)

    def stop(self):
        """Kills the node: nothing of it is kept, so nothing is worth a farewell."""
        while self._processes:
            end_group(self._processes.pop(), signal.SIGKILL)
