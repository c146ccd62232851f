#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guards what a job costs, in instructions, which no other process disturbs.

The path of a job through AMPS is held against the same POST and acknowledgement
through bare libsoup, both under callgrind with one job in flight. The limit is
on their ratio, so that it holds for any compiler and any version of libsoup.
"""

import argparse
import subprocess
import sys
import tempfile

import callgrind
from collector import Collector
from rabbitmq_node import free_port

FEW, MANY = 200, 600


def count(arguments, mode, jobs, more):
    """All instructions of a run."""
    api, port = str(free_port()), str(free_port())
    with tempfile.NamedTemporaryFile(prefix='amps-callgrind-') as out, \
            subprocess.Popen([arguments.workload, '--port', port, '--api', api,
                              '--jobs', str(jobs)], stdout=subprocess.DEVNULL) as workload:
        try:
            subprocess.run(callgrind.command(out.name, arguments.path, mode, '--api', api,
                                             '--workload', port, '--jobs', str(jobs),
                                             '--in-flight', '1', *more),
                           check=True, timeout=120, stdout=subprocess.DEVNULL)
        finally:
            workload.kill()
        return callgrind.read_total(out.name)


def per_job(arguments, mode, *more):
    """Instructions of a job, without those of the start."""
    many, few = (count(arguments, mode, jobs, more) for jobs in (MANY, FEW))
    cost = (many - few) / (MANY - FEW)
    print(f'{" ".join((mode, *more[:1]))}: {cost:.0f} instructions a job')
    return cost


def main():
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--path', required=True, help='the binary bench-path')
    parser.add_argument('--workload', required=True, help='the binary bench-workload')
    parser.add_argument('--limit', type=float, required=True, help='the highest ratio allowed')
    parser.add_argument('--traces', type=float, required=True,
                        help='how much more it may cost, as a ratio, to record each job')
    arguments = parser.parse_args()

    plain = per_job(arguments, 'amps')
    ratio = plain / per_job(arguments, 'bare')
    print(f'ratio: {ratio:.3f}, at most {arguments.limit}')
    with Collector() as collector:
        traced = per_job(arguments, 'amps', '--collector', str(collector.port)) / plain
        assert len(collector.spans) >= 2 * MANY, 'not all spans have come'
    print(f'with traces: {traced:.3f}, at most {arguments.traces}')
    return 0 if ratio <= arguments.limit and traced <= arguments.traces else 1


if __name__ == '__main__':
    sys.exit(main())
