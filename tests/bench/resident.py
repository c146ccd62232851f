# SPDX-License-Identifier: MIT
"""How much memory an AMPS with the embedded broker has resident, at its peak so far."""

import machine
import report
from amps import Amps
from scenarios import EMBEDDED
from workload import Workload, acknowledge

IN_FLIGHT, JOBS = 100, 3000


def measure(bench):
    """Idle, with many jobs in flight, and after more of them than its slots."""
    uri, queue = bench.fill(report.without_jobs(EMBEDDED))
    figures = {}

    def note(when):
        figures[f'embedded, {when}: peak MB'] = machine.peak_kib(amps.process.pid) / 1024

    with Workload(lambda _: 202) as workload, \
            Amps(uri, queue, workload, MAX_CONCURRENCY=IN_FLIGHT,
                 DEBUG='false').wait_ready() as amps:
        note('idle')
        for number in range(JOBS):
            if number == IN_FLIGHT:
                workload.wait(IN_FLIGHT)
                note(f'{IN_FLIGHT} jobs in flight')
                workload.answer = acknowledge
                for post in workload.posts[:IN_FLIGHT]:
                    post.acknowledge()
            assert amps.post('/publish', EMBEDDED.event(number, queue)).status == 202
        workload.wait(JOBS, 120)
        note(f'{JOBS} jobs later')
        amps.stop()
    return figures
