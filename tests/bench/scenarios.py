# SPDX-License-Identifier: MIT
"""What is measured: one line for each run."""

import dataclasses
import json

KIB, MIB = 1024, 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Scenario:
    """Jobs of one kind through one way of doing them."""

    jobs: int
    in_flight: int = 100
    mode: str = 'async'
    batch: int = 1
    delay: int = 0  # ms until the workload answers
    size: int = 300  # bytes of an event
    broker: str = 'rabbitmq'
    worker: str = 'amps'
    rate: int = 0  # jobs a second; 0: all of them wait in the queue at the start

    @property
    def name(self):
        """What tells it from the others."""
        parts = [self.worker, self.mode, f'{self.in_flight} in flight']
        if self.batch > 1:
            parts.append(f'batches of {self.batch}')
        if self.delay:
            parts.append(f'answers after {self.delay} ms')
        if self.size >= MIB:
            parts.append(f'{self.size // MIB} MiB')
        elif self.size >= KIB:
            parts.append(f'{self.size // KIB} KiB')
        if self.broker != 'rabbitmq':
            parts.append(self.broker)
        if self.rate:
            parts.append(f'{self.rate} jobs/s')
        if self.jobs >= 100000:
            parts.append(f'{self.jobs} jobs')
        return ', '.join(parts)

    def event(self, number, subject):
        """One of its events, encoded."""
        return json.dumps({'specversion': '1.0', 'id': str(number), 'source': '/bench',
                           'type': subject, 'data': 'x' * (self.size - 90)}).encode()


SCENARIOS = [
    Scenario(3000, 1),
    Scenario(20000, 20),
    Scenario(20000),
    Scenario(100000),
    Scenario(20000, 1000),
    Scenario(10000, delay=10),
    Scenario(5000, 1000, delay=1000),
    Scenario(10000, size=16 * KIB),
    Scenario(400, 20, size=MIB),
    Scenario(3000, 1, 'sync'),
    Scenario(20000, 20, 'sync'),
    Scenario(20000, mode='sync'),
    Scenario(20000, 1000, 'sync'),
    Scenario(10000, mode='sync', delay=10),
    Scenario(20000, 5000, 'sync', delay=1000),
    Scenario(400, 20, 'sync', size=MIB),
    Scenario(40000, batch=20),
    Scenario(40000, mode='sync', batch=20),
    Scenario(20000, broker='embedded'),
    Scenario(20000, mode='sync', broker='embedded'),
    Scenario(40000, mode='sync', batch=20, broker='embedded'),
    Scenario(300, rate=50),
    Scenario(2000, rate=200),
    Scenario(5000, rate=1000),
    Scenario(300, mode='sync', rate=50),
    Scenario(2000, mode='sync', rate=200),
    Scenario(5000, mode='sync', rate=1000),
    Scenario(20000, mode='sync', worker='node'),
    Scenario(5000, mode='sync', worker='python'),
]

EMBEDDED = next(each for each in SCENARIOS if each.broker == 'embedded')
PACED = next(each for each in SCENARIOS if each.rate == 200)
