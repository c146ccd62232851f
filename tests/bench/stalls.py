# SPDX-License-Identifier: MIT
"""How long the main loop of AMPS is away at most.

The kernel writes down when the main thread begins and ends to poll (perf), so that
nothing is slowed down: under strace each poll of a thread waits for the tracer. A
stall is the time between the end of one and the begin of the next, without that in
which the thread could run but had no processor, of which there are only two here.
"""

import concurrent.futures
import contextlib
import json
import re
import signal
import statistics
import subprocess

from amps import Amps, wait_until
from rabbitmq_node import free_port
from scenarios import MIB, Scenario

LINE = re.compile(r'^\s*(?P<time>\d+\.\d+):\s+(?P<event>\S+):(?P<details>.*)')


def longest_stall(trace, pid):
    """In ms."""
    longest, ended, preempted, without = 0, None, None, 0
    for match in filter(None, map(LINE.match, trace.splitlines())):
        moment, event = float(match['time']), match['event']
        if f' prev_pid={pid} ' in match['details']:
            if ' prev_state=R' in match['details']:
                preempted = moment
            continue
        # The kernel does not tell of each switch back, so whatever it does ends the wait.
        if preempted is not None:
            without += moment - preempted
            preempted = None
        if re.match('syscalls:sys_exit_p?poll', event):
            ended, without = moment, 0
        elif re.match('syscalls:sys_enter_p?poll', event) and ended is not None:
            longest = max(longest, moment - ended - without)
            ended = None
    assert longest > 0, 'perf has seen no poll'
    return longest * 1e3


@contextlib.contextmanager
def traced(pid, out, stalls):
    """Adds the longest stall of a block to a list."""
    command = ['perf', 'record', '-q', '-a', '-m', '4M', '-o', str(out),
               '-e', 'sched:sched_switch', '--filter', f'prev_pid == {pid} || next_pid == {pid}']
    for name in ('raw_syscalls:sys_enter', 'syscalls:sys_enter_poll', 'syscalls:sys_exit_poll',
                 'syscalls:sys_enter_ppoll', 'syscalls:sys_exit_ppoll'):
        command += ['-e', name, '--filter', f'common_pid == {pid}']
    with subprocess.Popen(command) as perf:
        wait_until(out.exists, what='perf')
        yield
        perf.send_signal(signal.SIGINT)
    trace = subprocess.check_output(['perf', 'script', '-F', 'time,event,trace', '-i', str(out)],
                                    text=True, stderr=subprocess.DEVNULL)
    stalls.append(longest_stall(trace, pid))


def run(bench):
    """The longest stall with large events, and while the largest are published."""
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
        with traced(amps.process.pid, bench.folder / 'events.perf', stalls):
            workload.stdout.readline()
        with traced(amps.process.pid, bench.folder / 'publish.perf', stalls), \
                concurrent.futures.ThreadPoolExecutor(2) as pool:
            for answer in pool.map(lambda _: amps.post('/publish', event), range(4)):
                assert answer.status == 202, answer.body
        amps.stop()
        workload.kill()

    return stalls


def measure(bench):
    """The medians of some runs, and the worst: even the whole machine may be away."""
    figures = {}
    runs = zip(*(run(bench) for _ in range(bench.arguments.runs)))
    for name, stalls in zip(('events of 1 MiB, 20 in flight', '/publish of 16 MiB'), runs):
        figures[f'longest stall in ms, {name}: median'] = statistics.median(stalls)
        figures[f'longest stall in ms, {name}: at worst'] = max(stalls)
    return figures
