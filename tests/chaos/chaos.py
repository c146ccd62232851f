#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs jobs through random faults and judges what became of them.

Two AMPS share a queue of a real RabbitMQ; broker, connections, workload and one
of the AMPS are broken in turn. The other AMPS lives through all of it, and must
not grow. The faults come from a seed, so a run can be repeated. Ends with status
1 if a job was lost or POSTed when it must not be, if a message is left in the
end, or if AMPS has grown.
"""

import argparse
import itertools
import json
import os
import pathlib
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import pika

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / 'flatpak-free-container'), str(HERE.parent / 'fixtures')]

# pylint: disable=wrong-import-position
import flat  # noqa: E402
from broker import retry_queue_arguments  # noqa: E402
from chaos_workload import Workload  # noqa: E402
from ledger import Ledger, wait_until_none  # noqa: E402
from proxy import Proxy  # noqa: E402
from rabbitmq_node import RabbitMQNode, free_port  # noqa: E402

SUBJECT = 'chaos'
JOB_TIMEOUT = 6
# Resident KiB of an AMPS that has done thousands of jobs in a rush. A short run may
# have begun its second half before.
RUSH_SIZE = 13 * 1024

ESTABLISHED = '01'  # in /proc/net/tcp and tcp6


class Amps:
    """One AMPS that is started anew whenever it was ended, under a new name."""

    incarnations = itertools.count(1)

    def __init__(self, binary, proxy, workload_port, folder):
        self._binary = binary
        self._workload_port = workload_port
        self._log = folder / 'amps.log'
        self._secret = folder / f'broker-{proxy.port}'
        self._secret.write_text(f'amqp://guest:guest@127.0.0.1:{proxy.port}?heartbeat=3')
        self._process = None
        self._port = 0
        self.name = None

    def start(self):
        """Starts it on free ports."""
        self._port = free_port()
        self.name = f'amps-{next(self.incarnations)}'
        environment = dict(
            os.environ,
            BROKER_HOST_FILE=str(self._secret),
            BROKER_SUBJECT=SUBJECT,
            MAX_CONCURRENCY='50',
            JOB_TIMEOUT=f'{JOB_TIMEOUT}s',
            WORKLOAD_ADDRESS=f'http://127.0.0.1:{self._workload_port}',
            RETRY_MAX_BACKOFF='2s',
            DRAIN_TIMEOUT='3s',
            PORT=str(self._port),
            METRICS_ENABLED='false',
            WORKER_ID=self.name,
            LOG_FORMAT='json',
        )
        with self._log.open('ab') as log:
            self._process = subprocess.Popen([self._binary], env=environment, stdout=log,
                                             stderr=log)

    def end(self, how):
        """Ends it by a signal; returns whether it ended as it should."""
        # Before it has come to itself SIGTERM kills it like any other program.
        while how == signal.SIGTERM and not self._listens():
            time.sleep(0.05)
        self._process.send_signal(how)
        try:
            status = self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
        return status == (0 if how == signal.SIGTERM else -how)

    def _listens(self):
        with socket.socket() as probe:
            return self.died() or probe.connect_ex(('127.0.0.1', self._port)) == 0

    def wait_ready(self, timeout=60):
        """Returns when it consumes."""
        end = time.monotonic() + timeout
        while not self.died():
            try:
                self.get('/readyz')
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def send(self, how):
        """Sends a signal that does not end it."""
        self._process.send_signal(how)

    def died(self):
        """Whether it ended by itself, which it never should."""
        return self._process.poll() is not None

    def jobs(self):
        """What it says it has."""
        return self.get('/jobs')['jobs']

    def get(self, path):
        """A successful answer of the API; an OSError if there is none."""
        with urllib.request.urlopen(f'http://127.0.0.1:{self._port}{path}', timeout=5) as answer:
            return json.load(answer)

    def usage(self):
        """What it takes; descriptors without the connections that a workload keeps to
        the API: it is not for AMPS to close them. One that the workload has closed counts."""
        base = pathlib.Path('/proc') / str(self._process.pid)
        sockets = [line.split() for table in ('net/tcp', 'net/tcp6')
                   for line in (base / table).read_text().splitlines()]
        kept = sum(local.endswith(f':{self._port:04X}') and state == ESTABLISHED
                   for _, local, _, state, *_ in sockets)
        figures = flat.usage(self._process.pid)
        return {**figures, 'descriptors': figures['descriptors'] - kept}


class Publisher(threading.Thread):
    """Publishes a job for each number, until the broker has confirmed it."""

    def __init__(self, node, ledger, numbers, pause=0.0):
        super().__init__(daemon=True)
        self._node = node
        self._ledger = ledger
        self._numbers = numbers
        self._pause = pause
        self._stopped = threading.Event()
        self.published = 0

    def stop(self):
        """Publishes no more, and waits for the last confirmation."""
        self._stopped.set()
        self.join()

    def run(self):
        channel = None
        for number in self._numbers:
            if self._stopped.wait(self._pause):
                return
            identifier = f'job-{number}'
            body = json.dumps({'specversion': '1.0', 'id': identifier, 'source': '/chaos',
                               'type': SUBJECT, 'data': {'n': number}})
            while True:
                try:
                    channel = channel or self._connect()
                    self._ledger.publishing(identifier)
                    channel.basic_publish('', SUBJECT, body, mandatory=True,
                                          properties=pika.BasicProperties(delivery_mode=2))
                except (pika.exceptions.AMQPError, OSError):
                    channel = None
                    time.sleep(0.2)
                    continue
                break
            self.published += 1

    def _connect(self):
        parameters = pika.URLParameters(self._node.uri + '?heartbeat=10')
        channel = pika.BlockingConnection(parameters).channel()
        channel.confirm_delivery()
        return channel


class Chaos:
    """The faults, each of which mends itself."""

    def __init__(self, arguments, folder):
        self._random = random.Random(arguments.seed)
        self._node = RabbitMQNode(folder / 'rabbitmq')
        self._node.start()
        self._node.wait_until_ready()
        self._declare(arguments.queue_type)
        self._node.let_queues_settle()
        self.ledger = Ledger(JOB_TIMEOUT)
        self._workload = Workload(free_port(), self.ledger, arguments.seed)
        self._workload.start()
        self._proxies = [Proxy(self._node.port) for _ in range(2)]
        self._amps = [Amps(arguments.amps, proxy, self._workload.port, folder)
                      for proxy in self._proxies]
        for amps in self._amps:
            amps.start()
        self._mortal, self._lasting = self._amps
        self._publishers = [
            Publisher(self._node, self.ledger, range(number, arguments.jobs, arguments.publishers))
            for number in range(arguments.publishers)]
        for publisher in self._publishers:
            publisher.start()
        self.usage = []
        self._drawn = []
        self._faults = {
            self._kill_broker: 1,
            self._close_connections: 2,
            self._memory_alarm: 1,
            self._cut: 4,
            self._stall: 2,
            self._crash_workload: 2,
            self._fail_workload: 2,
            self._terminate_amps: 2,
            self._kill_amps: 2,
        }

    def _declare(self, queue_type):
        connection = pika.BlockingConnection(pika.URLParameters(self._node.uri))
        channel = connection.channel()
        channel.queue_declare(SUBJECT, durable=True, arguments={'x-queue-type': queue_type})
        # AMPS would make these while the broker may be killed.
        for seconds in (1, 2):
            channel.queue_declare(
                f'{SUBJECT}.retry.{seconds}s', durable=True,
                arguments={'x-queue-type': 'quorum', **retry_queue_arguments(SUBJECT, seconds)})
        connection.close()

    def published(self):
        """How many jobs have been confirmed."""
        return sum(publisher.published for publisher in self._publishers)

    def is_publishing(self):
        """Whether there are more to come."""
        return any(publisher.is_alive() for publisher in self._publishers)

    def break_something(self):
        """Breaks one thing by chance, and mends it. None is drawn again before all were."""
        if not self._drawn:
            self._drawn = [fault for fault, count in self._faults.items() for _ in range(count)]
            self._random.shuffle(self._drawn)
        fault = self._drawn.pop()
        self.ledger.counts[fault.__name__.strip('_').replace('_', ' ')] += 1
        fault()
        for amps in self._amps:
            if amps.died():
                self.ledger.violations.append('an AMPS died by itself')
                amps.start()
        usage = self._lasting.usage()
        self.usage.append((usage['resident KiB'], usage['descriptors']))

    def _kill_broker(self):
        self._node.stop()
        time.sleep(self._random.random() * 3)
        self._node.start()
        self._node.wait_until_ready()

    def _close_connections(self):
        self._node.control('close_all_connections', 'chaos')

    def _memory_alarm(self):
        self._node.control('set_vm_memory_high_watermark', '0.00001')
        time.sleep(2)
        self._node.control('set_vm_memory_high_watermark', '0.4')

    def _cut(self):
        self._random.choice(self._proxies).cut()

    def _stall(self):
        proxy = self._random.choice(self._proxies)
        proxy.stall()
        time.sleep(self._random.random() * 10)
        proxy.resume()

    def _crash_workload(self):
        self._workload.crash()
        time.sleep(self._random.random() * 3)
        self._workload.start()

    def _fail_workload(self):
        self._workload.failing = True
        time.sleep(self._random.random() * 2)
        self._workload.failing = False

    def _terminate_amps(self):
        self._restart(signal.SIGTERM)

    def _kill_amps(self):
        self.ledger.killed(self._mortal.name)
        self._restart(signal.SIGKILL)

    def _restart(self, how):
        if not self._mortal.end(how):
            self.ledger.violations.append(f'an AMPS did not end as it should by {how.name}')
        self._mortal.start()

    def left(self):
        """What broker and AMPS still have: queues with messages, and jobs."""
        queues = self._node.control('--silent', 'list_queues', '--no-table-headers', 'name',
                                    'messages_ready', 'messages_unacknowledged')
        return ([line for line in queues.splitlines() if not line.endswith('\t0\t0')]
                + [job for amps in self._amps for job in amps.jobs()])

    def growth(self):
        """What the AMPS that lasted has grown by in the second half, beyond what jobs may take
        that are in flight or remembered: resident KiB, and descriptors."""
        half = len(self.usage) // 2
        before, after = (list(map(max, zip(*part)))
                         for part in (self.usage[:half], self.usage[half:]))
        return (max(0, after[0] - max(before[0] * 1.1, RUSH_SIZE) - 2048),
                max(0, after[1] - max(before[1], 200)))

    def end(self):
        """Ends all processes."""
        for amps in self._amps:
            amps.end(signal.SIGKILL)
        self._node.stop()


def run(arguments, folder):
    """Returns whether all was well."""
    chaos = Chaos(arguments, folder)
    told = 0
    began = time.monotonic()
    try:
        while chaos.is_publishing():
            chaos.break_something()
            time.sleep(arguments.pause)
            print(f'{time.monotonic() - began:6.0f} s  published {chaos.published()}, '
                  f'not acknowledged {len(chaos.ledger.lost())}, '
                  f'violations {len(chaos.ledger.violations)}', flush=True)
            for line in chaos.ledger.violations[told:]:
                print('violation:', line, flush=True)
            told = len(chaos.ledger.violations)

        left = wait_until_none(lambda: chaos.ledger.lost() or chaos.left(), arguments.settle)
        if left:
            print(f'left, and no fewer for {arguments.settle} s:', *chaos.left()[:20], sep='\n')
    finally:
        chaos.end()

    lost, growth = chaos.ledger.lost(), chaos.growth()
    for line in chaos.ledger.violations[told:]:
        print('violation:', line)
    print(dict(sorted(chaos.ledger.counts.items())))
    for identifier in lost[:5]:
        print('lost:', chaos.ledger.tell(identifier))
    for when, usage in (('first', chaos.usage[0]), ('last', chaos.usage[-1]),
                        ('highest', max(chaos.usage))):
        print(f'{when} resident size and descriptors of AMPS: {usage[0]} KiB, {usage[1]}')
    print(f'{arguments.jobs} jobs in {time.monotonic() - began:.0f} s with seed {arguments.seed}: '
          f'{len(lost)} lost {lost[:5]}, {len(left)} left, {len(chaos.ledger.violations)} '
          f'violations, grown by {growth[0]:.0f} KiB and {growth[1]:.0f} descriptors')
    grown = any(growth) and not arguments.any_size
    return not (lost or left or chaos.ledger.violations or grown)


def main():
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--amps', required=True, help='the binary')
    parser.add_argument('--jobs', type=int, default=5000)
    parser.add_argument('--publishers', type=int, default=1, help='how many publish at once')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--pause', type=float, default=1.0, help='seconds between faults')
    parser.add_argument('--settle', type=float, default=150.0,
                        help='seconds in which fewer jobs must be left, in the end')
    parser.add_argument('--queue-type', choices=('quorum', 'classic'), default='quorum')
    parser.add_argument('--any-size', action='store_true',
                        help='do not judge its growth, for a build with a sanitizer')
    parser.add_argument('--keep', help='a folder for the logs, kept afterwards')
    arguments = parser.parse_args()

    # Each AMPS that is started keeps a port for itself, and a descriptor that claims it.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix='amps-chaos-') as temporary:
        folder = pathlib.Path(arguments.keep or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        return 0 if run(arguments, folder) else 1


if __name__ == '__main__':
    sys.exit(main())
