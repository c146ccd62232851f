# SPDX-License-Identifier: MIT
"""How long the main loop of AMPS is away at most.

The kernel writes down when the main thread begins and ends to poll (perf), so that
nothing is slowed down: under strace each poll of a thread waits for the tracer. A
stall is the time between the end of one and the begin of the next. The main thread
runs ahead of all else, so that it is not a wait for one of two processors.
"""

import concurrent.futures
import contextlib
import json
import os
import re
import signal
import subprocess

from amps import Amps, wait_until
from rabbitmq_node import free_port
from scenarios import MIB, Scenario

LINE = re.compile(r'^\s*(?P<time>\d+\.\d+):\s+syscalls:sys_(?P<what>enter|exit)_p?poll:')


def longest_stall(trace):
    """In ms."""
    longest, ended = 0, None
    for line in trace.splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        moment = float(match['time'])
        if match['what'] == 'exit':
            ended = moment
        elif ended is not None:
            longest = max(longest, moment - ended)
            ended = None
    assert longest > 0, 'perf has seen no poll'
    return longest * 1e3


@contextlib.contextmanager
def traced(pid, out, stalls):
    """Adds the longest stall of a block to a list."""
    command = ['perf', 'record', '-q', '-m', '4M', '-t', str(pid), '-o', str(out)]
    for name in ('enter_poll', 'exit_poll', 'enter_ppoll', 'exit_ppoll'):
        command += ['-e', f'syscalls:sys_{name}']
    with subprocess.Popen(command) as perf:
        wait_until(out.exists, what='perf')
        yield
        perf.send_signal(signal.SIGINT)
    stalls.append(longest_stall(subprocess.check_output(
        ['perf', 'script', '-F', 'time,event', '-i', str(out)], text=True)))


def measure(bench):
    """Stalls with large events, and while the largest are published."""
    scenario = Scenario(600, 20, size=MIB)
    uri, queue = bench.fill(scenario)
    bench.load('publish', '--port', bench.node.port, '--queue', 'large', '--messages', 0)
    event = json.dumps({'specversion': '1.0', 'id': 'large', 'source': '/bench', 'type': 'large',
                        'data': [1, 'x'] * ((16 * MIB - 1000) // 8)}).encode()
    port = str(free_port())
    stalls = []
    with subprocess.Popen([bench.arguments.workload, '--port', port, '--sync', '--jobs',
                           str(scenario.jobs)], stdout=subprocess.PIPE) as workload, \
            Amps(uri, queue, None, WORKLOAD_ADDRESS=f'http://127.0.0.1:{port}',
                 WORKLOAD_MODE='sync', MAX_CONCURRENCY=20, DEBUG='false') as amps:
        workload.stdout.readline()
        os.sched_setscheduler(amps.process.pid, os.SCHED_FIFO, os.sched_param(1))
        with traced(amps.process.pid, bench.folder / 'events.perf', stalls):
            workload.stdout.readline()
        with traced(amps.process.pid, bench.folder / 'publish.perf', stalls), \
                concurrent.futures.ThreadPoolExecutor(2) as pool:
            for answer in pool.map(lambda _: amps.post('/publish', event), range(4)):
                assert answer.status == 202, answer.body
        amps.stop()
        workload.kill()

    return {'longest stall in ms, events of 1 MiB, 20 in flight': stalls[0],
            'longest stall in ms, /publish of 16 MiB': stalls[1]}
