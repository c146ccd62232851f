# SPDX-License-Identifier: MIT
"""What the kernel tells of processes and of the machine."""

import os
import pathlib
import time

TICK = os.sysconf('SC_CLK_TCK')


def cpu_seconds(pid):
    """User and system time of a process with all its threads."""
    total = 0
    for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
        total += int((task / 'schedstat').read_text(encoding='ascii').split()[0])
    return total / 1e9


def peak_kib(pid):
    """The most memory that a process has had resident."""
    return status(pid, 'VmHWM')


def resident_kib(pid):
    """The memory that a process has resident."""
    return status(pid, 'VmRSS')


def status(pid, name):
    """A number of /proc/PID/status."""
    for line in pathlib.Path(f'/proc/{pid}/status').read_text(encoding='ascii').splitlines():
        if line.startswith(name + ':'):
            return int(line.split()[1])
    raise KeyError(name)


def wake_ups(pid):
    """How often the threads of a process have waited for something."""
    return sum(status(f'{pid}/task/{task.name}', 'voluntary_ctxt_switches')
               for task in pathlib.Path(f'/proc/{pid}/task').iterdir())


def busy_seconds():
    """Time that the processors were busy, and time that was stolen from them."""
    with open('/proc/stat', encoding='ascii') as stat:
        fields = [int(field) / TICK for field in stat.readline().split()[1:]]
    user, nice, system, _, _, irq, soft_irq, steal = fields[:8]
    return user + nice + system + irq + soft_irq, steal


def spin():
    """Seconds that a fixed piece of work takes: its spread is the machine's noise."""
    begun = time.perf_counter()
    sum(range(2_000_000))
    return time.perf_counter() - begun
