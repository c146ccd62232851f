# SPDX-License-Identifier: MIT
"""What nothing with these libraries, or with this RabbitMQ, can be better than."""

import json
import statistics
import subprocess
import time

import waiting
from rabbitmq_node import free_port
from scenarios import PACED, Scenario

STARTS = 20


def time_start(command):
    """How long it takes to its end, in ms, and what it prints."""
    begun = time.monotonic_ns()
    printed = subprocess.check_output(command, timeout=60)
    return (time.monotonic_ns() - begun) / 1e6, printed


def post_latency(arguments):
    """Of a POST by bare libsoup, as seen by the workload, at the same rate."""
    port = str(free_port())
    with subprocess.Popen([arguments.workload, '--port', port, '--sync', '--jobs',
                           str(PACED.jobs)], stdout=subprocess.PIPE) as workload:
        subprocess.run([arguments.path, 'bare', '--workload', port, '--api', str(free_port()),
                        '--sync', '--jobs', str(PACED.jobs), '--rate', str(PACED.rate)],
                       check=True, timeout=60, stdout=subprocess.DEVNULL)
        workload.stdout.readline()
        latency = json.loads(workload.stdout.readline())
        workload.kill()
    return latency


def paced_consumer(bench, scenario):
    """What a bare consumer has of the same messages at the same pace."""
    queue = bench.empty_queue()
    with subprocess.Popen([bench.arguments.load, 'consume', '--port', str(bench.node.port),
                           '--queue', queue, '--messages', str(scenario.jobs), '--rate',
                           str(scenario.rate)], stdout=subprocess.PIPE) as process:
        bench.publish(queue, scenario, rate=scenario.rate)
        return json.loads(process.stdout.read())


def measure(bench):
    """Memory and start of an empty program, start and latency of a bare consumer, memory
    and latency of bare POSTs."""
    empty = [time_start([bench.arguments.empty]) for _ in range(STARTS)]

    bench.publish('floor', Scenario(STARTS))
    consumer = [bench.arguments.load, 'consume', '--port', str(bench.node.port), '--queue']
    first = [time_start([*consumer, 'floor', '--in-flight', '1', '--messages', '1'])[0]
             for _ in range(STARTS)]

    latency = paced_consumer(bench, PACED)
    post = post_latency(bench.arguments)

    return {
        'floor: an empty program with the same libraries, peak MB':
            max(int(printed) for _, printed in empty) / 1024,
        'floor: its start and end, ms': statistics.median(took for took, _ in empty),
        'floor: start of a rabbitmq-c consumer to the end of its first message, ms':
            statistics.median(first),
        f'floor: latency of a rabbitmq-c consumer at {PACED.rate} jobs/s, p50 ms': latency['p50'],
        'floor: the same, p99 ms': latency['p99'],
        f'floor: latency of a POST by bare libsoup at {PACED.rate} jobs/s, p50 ms': post['p50'],
        'floor: the same POST, p99 ms': post['p99'],
        f'floor: KiB of each of {waiting.POSTS} POSTs by bare libsoup that wait':
            waiting.measure(bench.arguments, 'bare'),
        'the same through AMPS': waiting.measure(bench.arguments, 'amps'),
    }
