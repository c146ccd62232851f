#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guards what a job costs in system calls, and in turns of the main loop.

One job after the other goes from a RabbitMQ through AMPS to a workload, each alone,
as where jobs are few. valgrind counts: it needs no rights that a container may lack.
"""

import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile

from rabbitmq_node import RabbitMQNode, free_port

FEW, MANY = 100, 400
# The kernel answers these without a system call; valgrind hides how.
CLOCKS = ('clock_gettime', 'gettimeofday', 'time')
CALL = re.compile(r'^SYSCALL\[\d+,\d+\]\(\s*\d+\) (?:sys_)?(\w+) ?(?:\( \S+, (\d+),)?', re.M)


def parse(trace):
    """How often each was called. A turn looks at more than one descriptor."""
    calls = collections.Counter()
    for name, descriptors in CALL.findall(trace):
        calls[name] += name not in CLOCKS
        calls['turns'] += name in ('poll', 'ppoll') and int(descriptors or 0) > 1
    return calls


def count(arguments, node, mode, jobs):
    """All calls of a run."""
    queue, port, workload_port = f'calls-{mode}-{jobs}', str(free_port()), str(free_port())
    subprocess.run([arguments.load, 'publish', '--port', str(node.port), '--queue', queue,
                    '--messages', str(jobs)], check=True, timeout=60)
    environment = {name: value for name, value in os.environ.items() if '_' not in name}
    environment.update(
        BROKER_HOST=node.uri, BROKER_SUBJECT=queue, MAX_CONCURRENCY='1', PORT=port,
        METRICS_PORT=str(free_port()), WORKLOAD_MODE=mode,
        WORKLOAD_ADDRESS=f'http://127.0.0.1:{workload_port}')
    with tempfile.NamedTemporaryFile('r', prefix='amps-calls-') as trace, \
            subprocess.Popen([arguments.workload, '--port', workload_port, '--api', port,
                              '--jobs', str(jobs), *['--sync'] * (mode == 'sync')],
                             stdout=subprocess.PIPE) as workload, \
            subprocess.Popen(['valgrind', '--tool=none', '--trace-syscalls=yes',
                              f'--log-file={trace.name}', arguments.amps], env=environment,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as amps:
        try:
            assert workload.stdout.readline() and workload.stdout.readline(), 'no jobs are done'
            return parse(trace.read())
        finally:
            amps.kill()
            workload.kill()


def check(arguments, node, mode, calls, turns):
    """Whether a job costs no more than that, without what the start costs."""
    many, few = (count(arguments, node, mode, jobs) for jobs in (MANY, FEW))
    cost = {name: (many[name] - few[name]) / (MANY - FEW) for name in many}
    cost_turns = cost.pop('turns')
    total = sum(cost.values())
    print(f'{mode}: {total:.1f} system calls a job, at most {calls}; '
          f'{cost_turns:.1f} turns, at most {turns}')
    print('  ' + ', '.join(f'{name} {cost[name]:.1f}' for name in sorted(cost, key=cost.get)[::-1]
                           if cost[name] >= 0.05))
    # Less than one of each would mean that nothing has been counted.
    return 1 <= total <= calls and 1 <= cost_turns <= turns


def main():
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ('amps', 'load', 'workload'):
        parser.add_argument('--' + name, required=True, help='the binary')
    for name in ('async', 'sync'):
        parser.add_argument('--' + name, required=True, nargs=2, type=float,
                            metavar=('CALLS', 'TURNS'), help='how many a job may cost')
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix='amps-calls-') as folder:
        node = RabbitMQNode(folder)
        node.start()
        try:
            node.wait_until_ready()
            good = [check(arguments, node, mode, *getattr(arguments, mode))
                    for mode in ('async', 'sync')]
        finally:
            node.stop()
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())
