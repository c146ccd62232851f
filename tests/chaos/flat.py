# SPDX-License-Identifier: MIT
"""Whether an AMPS stays flat: what it takes of the machine, looked at many times."""

import pathlib
import statistics

# From the second quarter of a run to the last one a figure may grow by this factor and
# this much more. The first quarter is for warming up.
ALLOWED = {
    'resident KiB': (1.0, 2048),
    'descriptors': (1.0, 64),
    'threads': (1.0, 2),
    'latency ms': (3.0, 20),
}


def usage(pid):
    """What a process has now."""
    folder = pathlib.Path('/proc', str(pid))
    resident = next(int(line.split()[1]) for line in (folder / 'status').read_text().splitlines()
                    if line.startswith('VmRSS'))
    return {'resident KiB': resident, 'descriptors': len(list((folder / 'fd').iterdir())),
            'threads': len(list((folder / 'task').iterdir()))}


class Record:
    """Figures in the order in which they were taken."""

    def __init__(self):
        self._samples = []

    def add(self, **figures):
        """Takes a sample; each has the same figures."""
        self._samples.append(figures)

    def medians(self):
        """Of each figure: the median of the second quarter, and that of the last."""
        quarter = len(self._samples) // 4
        if quarter == 0:
            raise ValueError(f'{len(self._samples)} samples say nothing')
        parts = self._samples[quarter:2 * quarter], self._samples[-quarter:]
        return {name: tuple(statistics.median(sample[name] for sample in part) for part in parts)
                for name in self._samples[0]}

    def complaints(self):
        """What has grown."""
        return [f'{name} grew from {before:.1f} to {after:.1f}'
                for name, (before, after) in self.medians().items()
                if after > before * ALLOWED[name][0] + ALLOWED[name][1]]

    def __str__(self):
        return ', '.join(f'{name} {before:.1f} -> {after:.1f}'
                         for name, (before, after) in self.medians().items())
