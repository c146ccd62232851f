#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guards what a start costs, in instructions, which no other process disturbs.

AMPS starts under callgrind, in an environment like that of a Kubernetes namespace with
many services, does one job of an embedded broker, and ends. An empty program with the
same libraries is what nothing can be better than. The limit is on their ratio, so that
it holds for any compiler and any version of the libraries.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import amps as fixture
import callgrind
from broker import EmbeddedNode, EmbeddedQueue, event
from rabbitmq_node import free_port

SERVICES = 20
# What Kubernetes sets for each service, where a name is said twice.
VARIABLES = ('SERVICE_HOST', 'SERVICE_PORT', 'PORT', 'PORT_80_TCP', 'PORT_80_TCP_PROTO',
             'PORT_80_TCP_PORT', 'PORT_80_TCP_ADDR')


def count_empty(arguments, folder):
    """Of the program that does nothing."""
    out = f'{folder}/empty'
    subprocess.run(callgrind.command(out, arguments.empty), check=True, timeout=60,
                   stdout=subprocess.DEVNULL)
    return callgrind.read_total(out)


def count_amps(arguments, folder):
    """Of AMPS, with a job."""
    fixture.BINARY = os.path.abspath(arguments.amps)
    node = EmbeddedNode(folder)
    node.start()
    queue = EmbeddedQueue(node, 'start', None, None)
    queue.fill([event(1)])
    queue.close()

    port, workload_port, out = str(free_port()), str(free_port()), f'{folder}/amps'
    environment = {name: value for name, value in os.environ.items() if '_' not in name}
    environment.update({f'SHOP_{number}_{variable}': '80' for number in range(SERVICES)
                        for variable in VARIABLES})
    environment.update(
        BROKER_HOST=node.uri, BROKER_SUBJECT='start', PORT=port, METRICS_PORT=str(free_port()),
        WORKLOAD_MODE='sync', WORKLOAD_ADDRESS=f'http://127.0.0.1:{workload_port}')
    with subprocess.Popen([arguments.workload, '--port', workload_port, '--sync', '--jobs', '1'],
                          stdout=subprocess.PIPE) as workload, \
            subprocess.Popen(callgrind.command(out, arguments.amps), env=environment,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as amps:
        try:
            assert workload.stdout.readline() and workload.stdout.readline(), 'no job is done'
            amps.terminate()
            _, log = amps.communicate(timeout=60)
            assert amps.returncode == 0, log
        finally:
            amps.kill()
            workload.kill()
    return callgrind.read_total(out)


def main():
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ('amps', 'empty', 'workload'):
        parser.add_argument('--' + name, required=True, help='the binary')
    parser.add_argument('--limit', type=float, required=True, help='the highest ratio allowed')
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix='amps-start-') as folder:
        empty, amps = count_empty(arguments, folder), count_amps(arguments, folder)
    print(f'empty: {empty} instructions; amps: {amps}, {amps / empty:.3f} times as many, '
          f'at most {arguments.limit}')
    return 0 if 1 < amps / empty <= arguments.limit else 1


if __name__ == '__main__':
    sys.exit(main())
