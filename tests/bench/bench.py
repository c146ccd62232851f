#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures AMPS, the limits of the machine, and what one would write instead.

All in one run, against a real RabbitMQ and a workload that costs next to
nothing. Prints a table; --out FOLDER keeps it with the figures and a plot.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import amps as fixture
import floors
import machine
import report
import resident
import stalls
from amps import Amps
from broker import EmbeddedNode, EmbeddedQueue
from rabbitmq_node import RabbitMQNode, free_port
from scenarios import EMBEDDED, SCENARIOS
from workload import Workload

PROGRAMS = ('amps', 'empty', 'load', 'path', 'workload')
HERE = pathlib.Path(__file__).resolve().parent


class Bench:
    """The programs, and a node with queues."""

    def __init__(self, arguments, folder):
        self.arguments = arguments
        self.folder = folder
        self.node = RabbitMQNode(folder / 'rabbitmq')
        self.node.start()
        self.node.wait_until_ready()
        self._queues = 0

    def load(self, command, *options):
        """Runs bench-load; returns the figures that it prints."""
        printed = subprocess.run([self.arguments.load, command, *map(str, options)], check=True,
                                 stdout=subprocess.PIPE, timeout=300).stdout
        return json.loads(printed) if printed else None

    def publish(self, queue, scenario, **options):
        """Fills a queue of RabbitMQ."""
        self.load('publish', '--port', self.node.port, '--queue', queue, '--messages',
                  scenario.jobs, '--size', scenario.size,
                  *(f'--{name}={value}' for name, value in options.items()))

    def new_name(self):
        """Of another queue."""
        self._queues += 1
        return f'bench-{self._queues}'

    def empty_queue(self):
        """A new queue of RabbitMQ; returns its name."""
        name = self.new_name()
        self.load('publish', '--port', self.node.port, '--queue', name, '--messages', 0)
        return name

    def fill(self, scenario):
        """A new queue with all the jobs; returns its URI and its name."""
        if scenario.broker == 'rabbitmq':
            name = self.empty_queue()
            if not scenario.rate:
                self.publish(name, scenario)
            return self.node.uri, name

        name = self.new_name()
        folder = self.folder / name
        folder.mkdir()
        node = EmbeddedNode(str(folder))
        node.start()
        queue = EmbeddedQueue(node, name, None, None)
        queue.fill(scenario.event(number, name) for number in range(scenario.jobs))
        queue.close()
        return node.uri, name

    @contextlib.contextmanager
    def worker(self, scenario, uri, queue, workload_port, port):
        """Whoever does the jobs."""
        environment = {name: value for name, value in os.environ.items() if '_' not in name}
        environment.update(
            BROKER_HOST=uri, BROKER_SUBJECT=queue, MAX_CONCURRENCY=str(scenario.in_flight),
            WORKLOAD_ADDRESS=f'http://127.0.0.1:{workload_port}')
        command = {'amps': [self.arguments.amps],
                   'node': ['node', str(HERE / 'rivals/worker.js')],
                   'python': [sys.executable, str(HERE / 'rivals/worker.py')]}[scenario.worker]
        if scenario.worker == 'amps':
            environment.update(
                PORT=str(port), METRICS_PORT=str(free_port()), WORKLOAD_MODE=scenario.mode,
                WORKLOAD_BATCH_SIZE=str(scenario.batch))
        if self.arguments.modules:
            environment['NODE_PATH'] = self.arguments.modules
        with open(self.folder / 'worker.log', 'ab') as log, \
                subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process:
            try:
                yield process
            finally:
                process.terminate()
                process.wait(60)

    def run(self, scenario):
        """One run; returns its figures. One at a pace is held against a bare consumer of the
        same messages, which runs just before."""
        bare = floors.paced_consumer(self, scenario) if scenario.rate else None
        uri, queue = self.fill(scenario)
        port, workload_port = free_port(), free_port()
        command = [self.arguments.workload, '--port', workload_port, '--api', port, '--delay',
                   scenario.delay, '--jobs', scenario.jobs]
        with subprocess.Popen([*map(str, command), *['--sync'] * (scenario.mode == 'sync')],
                              stdout=subprocess.PIPE) as workload:
            try:
                begun = time.monotonic_ns()
                with self.worker(scenario, uri, queue, workload_port, port) as worker:
                    if scenario.rate:
                        # What is measured is a worker that is ready.
                        time.sleep(1)
                        cpu = machine.cpu_seconds(worker.pid)
                        self.publish(queue, scenario, rate=scenario.rate)
                    first = json.loads(workload.stdout.readline())
                    busy, steal = machine.busy_seconds()
                    # At a pace its jobs are all over when they are first heard of.
                    if not scenario.rate:
                        cpu = machine.cpu_seconds(worker.pid)
                    done = json.loads(workload.stdout.readline())
                    cpu = machine.cpu_seconds(worker.pid) - cpu
                    busy, steal = (after - before for after, before
                                   in zip(machine.busy_seconds(), (busy, steal)))
                    peak = machine.peak_kib(worker.pid)
            finally:
                workload.kill()

        wall = (done['last'] - done['first']) / 1e9
        return {
            'jobs/s': scenario.jobs / wall,
            'cpu µs': cpu * 1e6 / scenario.jobs,
            'peak MB': peak / 1024,
            'start ms': (first['first'] - begun) / 1e6 if not scenario.rate else None,
            'p50 ms': done['p50'] if scenario.rate else None,
            'p99 ms': done['p99'] if scenario.rate else None,
            'max ms': done['max'] if scenario.rate else None,
            'p50 x': done['p50'] / bare['p50'] if scenario.rate else None,
            'p99 x': done['p99'] / bare['p99'] if scenario.rate else None,
            'cpu x': cpu * 1e6 / scenario.jobs / bare['cpu_us'] if scenario.rate else None,
            'stolen %': 100 * steal / max(busy + steal, 0.01),
        }

    def limits(self):
        """What the machine allows."""
        jobs = 20000
        self.load('publish', '--port', self.node.port, '--queue', 'limit', '--messages', jobs)
        consume = self.load('consume', '--port', self.node.port, '--queue', 'limit', '--messages',
                            jobs)
        port = free_port()
        with subprocess.Popen([self.arguments.workload, '--port', str(port), '--sync', '--jobs',
                               str(jobs)], stdout=subprocess.DEVNULL) as workload:
            try:
                time.sleep(0.2)
                ping_pong = self.load('ping-pong', '--port', port, '--messages', jobs,
                                      '--in-flight', 20)
            finally:
                workload.kill()
        return {'limit: rabbitmq-c that only acknowledges': consume,
                'limit: HTTP and nothing behind it, 20 in flight': ping_pong,
                'floor: bare libsoup, 20 in flight': self.path('bare'),
                'the same through AMPS, no broker': self.path('amps')}

    def path(self, mode):
        """The path of a job without a broker."""
        jobs, port, api = '20000', str(free_port()), str(free_port())
        with subprocess.Popen([self.arguments.workload, '--port', port, '--api', api, '--jobs',
                               jobs], stdout=subprocess.DEVNULL) as workload:
            try:
                return json.loads(subprocess.check_output(
                    [self.arguments.path, mode, '--workload', port, '--api', api, '--jobs', jobs],
                    timeout=300))
            finally:
                workload.kill()

    def idle(self, seconds=20):
        """Wake-ups a second of an AMPS that has nothing to do."""
        figures = {}
        for scenario in (SCENARIOS[0], EMBEDDED):
            uri, queue = self.fill(report.without_jobs(scenario))
            with Workload() as workload, \
                    Amps(uri, queue, workload, DEBUG='false').wait_ready() as amps:
                time.sleep(6)
                before = machine.wake_ups(amps.process.pid)
                time.sleep(seconds)
                figures[f'idle, {scenario.broker}: wake-ups a second'] = (
                    machine.wake_ups(amps.process.pid) - before) / seconds
        return figures


def median_of(runs):
    """The median of each figure."""
    return {name: None if runs[0][name] is None else statistics.median(run[name] for run in runs)
            for name in runs[0]}


def measure(arguments, folder):
    """Measures what is wanted; returns the figures."""
    bench = Bench(arguments, folder)
    results = {'noise': report.describe_noise([machine.spin() for _ in range(50)]),
               'runs': arguments.runs, 'scenarios': {}, 'limits': {}, 'others': {}}
    try:
        if not arguments.only:
            results['limits'] = {name: median_of(list(runs)) for name, runs in
                                 report.turn([bench.limits() for _ in range(arguments.runs)])}
            results['others'] = {**floors.measure(bench), **bench.idle(), **stalls.measure(bench),
                                 **resident.measure(bench)}
        for scenario in SCENARIOS:
            if arguments.only and not re.search(arguments.only, scenario.name):
                continue
            runs = [bench.run(scenario) for _ in range(arguments.runs)]
            results['scenarios'][scenario.name] = median_of(runs)
            report.print_line(scenario.name, results['scenarios'][scenario.name])
    finally:
        bench.node.stop()
    return results


def main():
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in PROGRAMS:
        parser.add_argument('--' + name, required=True, help='the binary')
    parser.add_argument('--modules', help='the folder node_modules with amqplib')
    parser.add_argument('--runs', type=int, default=5, help='of which the medians are shown')
    parser.add_argument('--only', help='scenarios whose name has this regular expression')
    parser.add_argument('--out', type=pathlib.Path, help='a folder for table, figures and plot')
    arguments = parser.parse_args()
    for name in PROGRAMS:
        setattr(arguments, name, os.path.abspath(getattr(arguments, name)))
    fixture.BINARY = arguments.amps

    with tempfile.TemporaryDirectory(prefix='amps-bench-') as folder:
        results = measure(arguments, pathlib.Path(folder))
    report.print_all(results)
    if arguments.out:
        report.keep(results, arguments.out)


if __name__ == '__main__':
    main()
