#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lets one AMPS work at half of what it can do, and sees that it stays as it was.

RabbitMQ, publisher and workload are those of tests/bench, which cost little. Ends with
status 1 if resident size, descriptors, threads or the mean time of a job have grown, if not
every job was acknowledged just once, or if AMPS logged a critical.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / 'flatpak-free-container'), str(HERE.parent / 'fixtures')]

# pylint: disable=wrong-import-position
import amps as fixture  # noqa: E402
import flat  # noqa: E402
from amps import Amps, wait_until  # noqa: E402
from rabbitmq_node import RabbitMQNode, free_port  # noqa: E402

QUEUE = 'soak'
SAMPLES = 40
ENDLESS = 2**31 - 1


class Address:
    """What AMPS is told of the workload."""

    def __init__(self, port):
        self.address = f'http://127.0.0.1:{port}'


class Soak:
    """The node, AMPS, and the load on it."""

    def __init__(self, arguments, node, amps):
        self._load = arguments.load
        self._node = node
        self._amps = amps
        self._published = 0
        self._took = self._done = 0.0

    def publish(self, jobs, rate=0):
        """Publishes so many in a second, or as fast as can be; returns when all are confirmed."""
        subprocess.run([self._load, 'publish', '--port', str(self._node.port), '--queue', QUEUE,
                        '--messages', str(jobs), '--rate', str(rate)], check=True)
        self._published += jobs

    def wait_done(self):
        """Waits until all that was published is acknowledged."""
        wait_until(lambda: self.acknowledged() >= self._published, 120, 'the end of all jobs')

    def acknowledged(self):
        """How many jobs are done."""
        return self._amps.metric('amps_workloads_acknowledged_total')

    def capacity(self, jobs):
        """How many jobs AMPS does in a second, when there are enough."""
        began = time.monotonic()
        self.publish(jobs)
        self.wait_done()
        return jobs / (time.monotonic() - began)

    def latency(self):
        """The mean of the jobs since the last call, in ms, from the message to the settlement."""
        took, self._took = self._took, self._amps.metric('amps_message_lifetime_seconds_sum')
        done, self._done = self._done, self._amps.metric('amps_message_lifetime_seconds_count')
        return 1000 * (self._took - took) / (self._done - done)

    def run(self, seconds, rate):
        """Works for so long at that rate; returns what was seen."""
        record = flat.Record()
        began = time.monotonic()
        self.latency()
        for sample in range(SAMPLES):
            self.publish(max(1, int(rate * seconds / SAMPLES)), rate)
            record.add(**flat.usage(self._amps.process.pid), **{'latency ms': self.latency()})
            if sample % (SAMPLES // 10) == 0:
                print(f'{time.monotonic() - began:6.0f} s  {self._published} published, '
                      f'{self.acknowledged():.0f} done', flush=True)
        self.wait_done()
        return record

    def faults(self, record):
        """What is wrong."""
        yield from record.complaints()
        wait_until(lambda: self._amps.get('/jobs').json['jobs'] == [], what='no job in flight')
        if self.acknowledged() != self._published:
            yield f'{self.acknowledged():.0f} of {self._published} jobs were acknowledged'
        if self._amps.stop() != 0:
            yield f'AMPS ended with {self._amps.process.returncode}'


def run(arguments, folder):
    """Returns whether all was well."""
    port, api = free_port(), free_port()
    node = RabbitMQNode(folder / 'rabbitmq')
    node.start()
    workload = subprocess.Popen([arguments.workload, '--port', str(port), '--api', str(api),
                                 '--jobs', str(ENDLESS)], stdout=subprocess.DEVNULL)
    try:
        node.wait_until_ready()
        with Amps(node.uri, QUEUE, Address(port), PORT=api, DEBUG='false',
                  MAX_CONCURRENCY=100) as amps:
            amps.port = api
            soak = Soak(arguments, node, amps)
            soak.publish(0)  # This makes the queue.
            amps.wait_ready()
            rate = int(soak.capacity(arguments.burst) / 2)
            print(f'half load: {rate} jobs a second', flush=True)
            record = soak.run(arguments.seconds, rate)
            faults = list(soak.faults(record))
    finally:
        workload.kill()
        workload.wait()
        node.stop()

    for line in faults:
        print('fault:', line)
    print(f'{arguments.seconds} s at {rate} jobs a second: {record}')
    return not faults


def main():
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--amps', required=True, help='the binary')
    parser.add_argument('--load', required=True, help='the binary bench-load')
    parser.add_argument('--workload', required=True, help='the binary bench-workload')
    parser.add_argument('--seconds', type=int, default=3600, help='how long')
    parser.add_argument('--burst', type=int, default=20000, help='jobs to find the load by')
    arguments = parser.parse_args()

    fixture.BINARY = os.path.abspath(arguments.amps)
    with tempfile.TemporaryDirectory(prefix='amps-soak-') as folder:
        return 0 if run(arguments, pathlib.Path(folder)) else 1


if __name__ == '__main__':
    sys.exit(main())
