#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kills processes that share the file of an embedded broker, and counts the jobs.

Two AMPS consume one queue of one file. Jobs are published through them while
either is killed, or suspended for longer than its leases last, at random points;
the faults come from a seed. Ends with status 1 unless every job that was
confirmed has run and was acknowledged, and the file is empty in the end.
"""

import argparse
import http.client
import os
import pathlib
import random
import resource
import signal
import sqlite3
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / 'flatpak-free-container'), str(HERE.parent / 'fixtures')]

# pylint: disable=wrong-import-position
import amps as fixture  # noqa: E402
from amps import Amps, wait_until  # noqa: E402
from broker import event  # noqa: E402
from ledger import wait_until_none  # noqa: E402
from workload import Workload  # noqa: E402

LEASE = 2


class Processes:
    """Two AMPS, of which either may be away."""

    def __init__(self, uri, workload, seed):
        self._uri = uri
        self._workload = workload
        self._random = random.Random(seed)
        self.faults = {'killed': 0, 'suspended': 0}
        self.complaints = []  # of those that died by themselves, or would not end
        self.all = [self._start(number) for number in range(2)]

    def _start(self, number):
        return Amps(self._uri, 'jobs', self._workload, MAX_CONCURRENCY=50, DEBUG=False,
                    JOB_TIMEOUT='20s', WORKER_ID=f'amps-{number}')

    def break_one(self):
        """Kills one and starts it anew, or, more rarely, suspends it."""
        number = self._random.randrange(2)
        victim = self.all[number]
        if self._random.random() < 0.05:
            self.faults['suspended'] += 1
            victim.process.send_signal(signal.SIGSTOP)
            time.sleep(LEASE * 1.5)
            victim.process.send_signal(signal.SIGCONT)
        else:
            self.faults['killed'] += 1
            self._end(victim, signal.SIGKILL)
            self.all[number] = self._start(number)

    def _end(self, amps, how):
        if amps.process.poll() is not None or \
                amps.stop(how) != (-how if how == signal.SIGKILL else 0):
            self.complaints.append(f'status {amps.process.returncode}: {amps.log[-2000:]}')
        amps.__exit__()

    def end(self):
        """Ends both, politely."""
        for amps in self.all:
            wait_until(lambda amps=amps: amps.is_listening() or amps.process.poll() is not None)
            self._end(amps, signal.SIGTERM)


class Publisher(threading.Thread):
    """Publishes a job for each number until one of the two has confirmed it."""

    def __init__(self, processes, numbers):
        super().__init__(daemon=True)
        self._processes = processes
        self._numbers = numbers
        self._tries = 0
        self.repeated = 0

    def run(self):
        connections = {}
        for number in self._numbers:
            while not self._publish(connections, number):
                self.repeated += 1

    def _publish(self, connections, number):
        """Through the two in turn, by connections that stay."""
        self._tries += 1
        amps = self._processes.all[self._tries % 2]
        connection = connections.setdefault(
            amps.port, http.client.HTTPConnection('127.0.0.1', amps.port, timeout=5))
        try:
            connection.request('POST', '/publish', event(number, type='jobs'))
            answer = connection.getresponse()
            answer.read()
            return answer.status == 202
        except (OSError, http.client.HTTPException):
            connections.pop(amps.port).close()
            time.sleep(0.02)
            return False


class Ledger:
    """What the workload has seen of each job."""

    def __init__(self):
        self.acknowledged = {}   # identifier: by which AMPS it was acknowledged last
        self.unanswered = set()  # identifiers: told to an AMPS that died over it
        self.posts = 0

    def take(self, post):
        """Works for a moment and acknowledges, as long as there is somebody to tell."""
        self.posts += 1
        identifier, worker = post.id, post.headers['Amps-Worker']
        time.sleep(random.random() * 0.02)
        try:
            if post.acknowledge() == 202:
                self.acknowledged[identifier] = worker
        except ConnectionRefusedError:
            pass  # It was dead by then, and heard nothing.
        except (OSError, http.client.HTTPException):
            self.unanswered.add(identifier)
        return 204


def count_rows(path):
    """How many jobs the file holds."""
    database = sqlite3.connect(path, timeout=10)
    try:
        return database.execute('SELECT count(*) FROM jobs').fetchone()[0]
    finally:
        database.close()


def run(arguments, folder):
    """Returns whether all was well."""
    ledger = Ledger()
    path = folder / 'queue.db'
    began = time.monotonic()
    chance = random.Random(arguments.seed + 1)
    with Workload(ledger.take) as workload:
        processes = Processes(f'sqlite://{path}?lease={LEASE}s', workload, arguments.seed)
        publishers = [Publisher(processes, range(number, arguments.jobs, arguments.publishers))
                      for number in range(arguments.publishers)]
        try:
            for publisher in publishers:
                publisher.start()
            while any(publisher.is_alive() for publisher in publishers):
                time.sleep(chance.random() * arguments.pause)
                processes.break_one()
                workload.posts.clear()  # A million of them would fill the memory.
            wait_until_none(lambda: range(count_rows(path)), arguments.settle)
        finally:
            processes.end()

    silent = {str(number) for number in range(arguments.jobs)} - ledger.acknowledged.keys()
    # It may have been killed between the commit and the answer.
    lost = silent - ledger.unanswered
    left = count_rows(path)
    shares = [list(ledger.acknowledged.values()).count(f'amps-{number}') for number in range(2)]
    for complaint in processes.complaints:
        print('An AMPS ended with', complaint)
    print(f'{arguments.jobs} jobs in {time.monotonic() - began:.0f} s with seed {arguments.seed}: '
          f'{processes.faults}, {sum(publisher.repeated for publisher in publishers)} publications '
          f'repeated, {ledger.posts} POSTs, '
          f'acknowledged through either: {shares}, {len(silent - lost)} of which the end had no '
          f'answer, {len(lost)} lost {sorted(lost)[:5]}, '
          f'{left} left in the file')
    return not (lost or left or processes.complaints) and min(shares) > arguments.jobs / 20


def main():
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--amps', required=True, help='the binary')
    parser.add_argument('--jobs', type=int, default=10000)
    parser.add_argument('--publishers', type=int, default=1, help='how many publish at once')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--pause', type=float, default=1.0, help='longest seconds between faults')
    parser.add_argument('--settle', type=float, default=60.0,
                        help='seconds in which fewer jobs must be left, in the end')
    arguments = parser.parse_args()

    # Each AMPS that is started keeps its ports for itself, and descriptors that claim them.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    fixture.BINARY = os.path.abspath(arguments.amps)
    with tempfile.TemporaryDirectory(prefix='amps-chaos-') as folder:
        return 0 if run(arguments, pathlib.Path(folder)) else 1


if __name__ == '__main__':
    sys.exit(main())
