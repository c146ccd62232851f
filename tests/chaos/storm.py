#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Disturbs one AMPS very often while jobs run, and sees that it stays as it was.

--reconnects N cuts its connections to a real RabbitMQ soon after it has them, until it has
made N. --reloads N sends SIGHUP until N have been obeyed. Ends with status 1 if a job was
lost or POSTed when it must not be, if AMPS has grown, logged a critical or did not end as
it should.
"""

import argparse
import itertools
import pathlib
import random
import signal
import sys
import tempfile
import time

import pika

import flat
from chaos import JOB_TIMEOUT, SUBJECT, Amps, Publisher, Proxy, RabbitMQNode, free_port
from amps import NEVER_LOGGED, wait_until  # chaos has made it known where this is
from chaos_workload import Workload
from ledger import Ledger, wait_until_none

# AMPS takes its time after more than ten connections in a row that lived for less than 1 s.
SHORT_LIVES, LONG_LIFE = 9, 1.1


class Storm:
    """The parts, and the two kinds of trouble."""

    def __init__(self, arguments, folder):
        self._log = folder / 'amps.log'
        self._node = RabbitMQNode(folder / 'rabbitmq')
        self._node.start()
        self._node.wait_until_ready()
        with pika.BlockingConnection(pika.URLParameters(self._node.uri)) as connection:
            connection.channel().queue_declare(SUBJECT, durable=True)
        self.ledger = Ledger(JOB_TIMEOUT)
        self._workload = Workload(free_port(), self.ledger, arguments.seed)
        self._workload.start()
        self._proxy = Proxy(self._node.port)
        self.amps = Amps(arguments.amps, self._proxy, self._workload.port, folder)
        self.amps.start()
        self.amps.wait_ready()
        self.publisher = Publisher(self._node, self.ledger, itertools.count(),
                                   arguments.pause)
        self.publisher.start()
        self.record = flat.Record()
        self._random = random.Random(arguments.seed)
        self._news = self._log.open('rb')
        self._reloads = 0

    def reconnect(self):
        """Breaks all connections, and lets AMPS consume again for a while; returns how often it
        has connected."""
        for life in range(SHORT_LIVES + 1):
            seen = len(self._proxy.accepted)
            self._proxy.cut()
            # Until then it may not have noticed, and still be ready.
            wait_until(lambda seen=seen: len(self._proxy.accepted) > seen, 60, 'a new connection')
            self.amps.wait_ready()
            time.sleep(LONG_LIFE if life == SHORT_LIVES else self._random.random() * 0.1)
        return len(self._proxy.accepted)

    def reload(self):
        """Sends signals, which may fall together; returns how many were obeyed."""
        for _ in range(100):
            self.amps.send(signal.SIGHUP)
            time.sleep(0.001)
        self._reloads += self._news.read().count(b'Read the secrets again')
        return self._reloads

    def settle(self, timeout):
        """Whether all that was published gets done."""
        self.publisher.stop()
        self.amps.wait_ready()
        return not wait_until_none(lambda: self.ledger.lost() or self.amps.jobs(), timeout)

    def faults(self):
        """What is wrong with AMPS itself."""
        if not self.amps.end(signal.SIGTERM):
            yield 'AMPS did not end as it should'
        text = self._log.read_text(encoding='utf-8')
        yield from (f'AMPS logged {one}' for one in NEVER_LOGGED if one in text)
        yield from self.record.complaints()

    def end(self):
        """Ends all processes."""
        if not self.amps.died():
            self.amps.end(signal.SIGKILL)
        self._news.close()
        self._node.stop()


def run(arguments, folder):
    """Returns whether all was well."""
    storm = Storm(arguments, folder)
    disturb, wanted = ((storm.reconnect, arguments.reconnects) if arguments.reconnects else
                       (storm.reload, arguments.reloads))
    began, done, told = time.monotonic(), 0, 0
    try:
        while done < wanted:
            done = disturb()
            if storm.amps.died():
                print('fault: AMPS died by itself')
                return False
            usage = storm.amps.usage()
            storm.record.add(**usage)
            if time.monotonic() > told + 10:
                told = time.monotonic()
                print(f'{told - began:6.0f} s  {done} of {wanted}, published '
                      f'{storm.publisher.published}, {usage}', flush=True)
        settled = storm.settle(arguments.settle)
        faults = list(storm.faults())
    finally:
        storm.end()

    lost = storm.ledger.lost()
    for line in storm.ledger.violations + faults:
        print('fault:', line)
    print(dict(sorted(storm.ledger.counts.items())))
    print(f'{done} {disturb.__name__}s in {time.monotonic() - began:.0f} s, '
          f'{storm.publisher.published} jobs published: {len(lost)} lost {lost[:5]}, '
          f'{len(storm.ledger.violations)} violations; {storm.record}')
    return settled and not (lost or faults or storm.ledger.violations)


def main():
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--amps', required=True, help='the binary')
    trouble = parser.add_mutually_exclusive_group(required=True)
    trouble.add_argument('--reconnects', type=int, help='how many')
    trouble.add_argument('--reloads', type=int, help='how many')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--pause', type=float, default=0.02, help='seconds between jobs')
    parser.add_argument('--settle', type=float, default=150.0,
                        help='seconds in which fewer jobs must be left, in the end')
    parser.add_argument('--keep', help='a folder for the logs, kept afterwards')
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix='amps-storm-') as temporary:
        folder = pathlib.Path(arguments.keep or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        return 0 if run(arguments, folder) else 1


if __name__ == '__main__':
    sys.exit(main())
