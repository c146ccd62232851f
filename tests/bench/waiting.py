#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guards the memory of POSTs that wait for their answers.

As many wait at once through AMPS, as jobs in sync mode, and through bare libsoup.
The limit is on the ratio of what each of them takes.
"""

import argparse
import json
import os
import resource
import subprocess
import sys

from rabbitmq_node import free_port

POSTS = 1000
SECONDS = 5  # until the workload answers; by then all of them wait


def peak_kib(arguments, mode, posts):
    """The most memory that a process with so many had resident."""
    port, api = str(free_port()), str(free_port())
    # Meson has malloc() write to all that it gives, which would make it resident.
    environment = {**os.environ, 'MALLOC_PERTURB_': '0'}
    with subprocess.Popen([arguments.workload, '--port', port, '--sync', '--jobs', str(posts),
                           '--delay', str(SECONDS * 1000)],
                          stdout=subprocess.DEVNULL) as workload:
        try:
            return json.loads(subprocess.check_output(
                [arguments.path, mode, '--workload', port, '--api', api, '--sync', '--jobs',
                 str(posts), '--in-flight', str(posts)], timeout=60, env=environment))['peak_kib']
        finally:
            workload.kill()


def measure(arguments, mode):
    """KiB that one of many takes."""
    return (peak_kib(arguments, mode, POSTS) - peak_kib(arguments, mode, 1)) / (POSTS - 1)


def main():
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--path', required=True, help='the binary bench-path')
    parser.add_argument('--workload', required=True, help='the binary bench-workload')
    parser.add_argument('--limit', type=float, required=True, help='the highest ratio allowed')
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    each = {mode: measure(arguments, mode) for mode in ('amps', 'bare')}
    for mode, kib in each.items():
        print(f'{mode}: {kib:.1f} KiB for each of {POSTS} that wait')
    ratio = each['amps'] / each['bare']
    print(f'ratio: {ratio:.3f}, at most {arguments.limit}')
    return 0 if ratio <= arguments.limit else 1


if __name__ == '__main__':
    sys.exit(main())
