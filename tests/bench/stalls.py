# SPDX-License-Identifier: MIT
"""How long the main loop of AMPS is away at most.

strace watches poll() alone, by a filter in the kernel, so that nothing else is
slowed down. A stall is the time between the end of one and the begin of the next.
AMPS runs ahead of all else, so that a stall is its own and not its wait for one of
two processors.
"""

import concurrent.futures
import json
import re
import subprocess
import time

from amps import Amps
from rabbitmq_node import free_port
from scenarios import MIB, Scenario

LINE = re.compile(r'^(?P<pid>\d+) +(?P<time>\d+\.\d+) (?P<call>.*?)'
                  r'(?: <(?P<took>\d+\.\d+)>)?$')


def longest_stall(trace, pid, since, until):
    """In ms, of the main thread, between two moments."""
    longest, ended = 0, None
    for line in trace.splitlines():
        match = LINE.match(line)
        if match is None or int(match['pid']) != pid:
            continue
        time_of_line, took = float(match['time']), match['took']
        resumed = 'resumed>' in match['call']
        if ended is not None and not resumed:
            if since <= ended and time_of_line <= until:
                longest = max(longest, time_of_line - ended)
            ended = None
        if took is not None:
            ended = time_of_line + (0 if resumed else float(took))
    return longest * 1e3


def measure(bench):
    """Stalls with large events, and while the largest are published."""
    scenario = Scenario(200, 20, size=MIB)
    uri, queue = bench.fill(scenario)
    bench.load('publish', '--port', bench.node.port, '--queue', 'large', '--messages', 0)
    event = json.dumps({'specversion': '1.0', 'id': 'large', 'source': '/bench', 'type': 'large',
                        'data': [1, 'x'] * ((16 * MIB - 1000) // 8)}).encode()
    out = bench.folder / 'strace'

    port = str(free_port())
    with subprocess.Popen([bench.arguments.workload, '--port', port, '--sync', '--jobs',
                           str(scenario.jobs)], stdout=subprocess.PIPE) as workload, \
            Amps(uri, queue, None, ('chrt', '--fifo', '1', 'strace', '-D', '--seccomp-bpf', '-f',
                                    '-ttt', '-T', '-e', 'trace=poll,ppoll', '-o', str(out)),
                 WORKLOAD_ADDRESS=f'http://127.0.0.1:{port}',
                 WORKLOAD_MODE='sync', MAX_CONCURRENCY=20, DEBUG='false') as amps:
        moments = []
        for _ in ('first', 'done'):
            workload.stdout.readline()
            moments.append(time.time())
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for answer in pool.map(lambda _: amps.post('/publish', event), range(4)):
                assert answer.status == 202, answer.body
        moments.append(time.time())
        amps.stop()
        workload.kill()
        pid = amps.process.pid

    trace = out.read_text(encoding='ascii')
    return {'longest stall in ms, events of 1 MiB, 20 in flight':
            longest_stall(trace, pid, moments[0], moments[1]),
            'longest stall in ms, /publish of 16 MiB':
            longest_stall(trace, pid, moments[1], moments[2])}
